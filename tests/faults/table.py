"""The table of points: where a fault struck, how the run ended, what the same command came to after it."""

from collections import Counter
from dataclasses import dataclass

WELL = "well"
"""What is said of a point after which nothing was wrong."""


@dataclass
class Point:
    """One fault."""

    where: str
    """The call that it struck."""
    what: str
    ended: str
    resumed: str = ""
    """What was wrong after the same command again; WELL where nothing was."""


POINTS: list[Point] = []
"""Of all tests of the session, in order."""

_WIDTH = 72


def lines(n_before: int) -> list[str]:
    """The table after its first points, one point a line."""
    head = f"{'':>4} {'what':<17} {'where':<{_WIDTH}} {'ended':<10} resumed"
    return [
        head,
        *(
            f"{number:>4} {point.what:<17} {_short(point.where):<{_WIDTH}} {point.ended:<10} "
            f"{point.resumed}"
            for number, point in enumerate(POINTS[n_before:], start=n_before + 1)
        ),
    ]


def summary() -> list[str]:
    """How many points there were of each kind, and after how many all was well."""
    n_points = Counter(point.what for point in POINTS)
    n_well = Counter(point.what for point in POINTS if point.resumed == WELL)
    return [f"{what:<17} {n:>4} points, {n_well[what]:>4} well" for what, n in n_points.items()]


def _short(where: str) -> str:
    """The end of a long path says more than its middle.

    Example:
        >>> len(_short("write " + "a" * 100))
        72
    """
    if len(where) <= _WIDTH:
        return where
    half = _WIDTH // 2
    return f"{where[: half - 1]}…{where[-(_WIDTH - half) :]}"
