"""Jobs on a few processes: when the last one ends."""

import heapq
import math
from collections.abc import Sequence


def finish(
    jobs: Sequence[float], processes: int, last_start: float = math.inf
) -> tuple[list[float], float]:
    """The jobs that are done and when the last of them ends, each taken by the first free process.

    No job starts at `last_start` or later, as where a search has a budget of time.

    Example:
        >>> finish([2.0, 2.0, 2.0], 2)
        ([2.0, 2.0, 2.0], 4.0)
        >>> finish([2.0, 2.0, 2.0], 2, last_start=2.0)
        ([2.0, 2.0], 2.0)
    """
    free = [0.0] * processes
    done: list[float] = []
    end = 0.0
    for job in jobs:
        begins = heapq.heappop(free)
        if begins >= last_start:
            break
        done.append(job)
        end = max(end, begins + job)
        heapq.heappush(free, begins + job)
    return done, end
