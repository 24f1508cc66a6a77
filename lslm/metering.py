"""What a piece of work costs: wall time, processor time and memory, of this process and all below it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_EVERY = 1.0
"""Seconds between two looks at the memory, at least."""
_SHARE = 0.02
"""Of one core that looking may take: the pages of a process that holds Keras are walked in 10 ms and more."""


@dataclass
class Cost:
    """Of one piece of work. What goes on beside it, in this process or below, is counted in."""

    seconds: float = 0.0
    """Of wall time."""
    cpu_seconds: float = 0.0
    """Of all processes together; two busy cores spend two a second."""
    peak_mb: float = 0.0
    """Largest memory seen, in millions of bytes; pages that processes share are counted once."""


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the block; the cost is known at its end.

    Example:
        >>> with measured() as cost:
        ...     _ = sum(range(1000))
        >>> cost.seconds > 0 and cost.peak_mb > 1
        True
    """
    cost, over = Cost(), threading.Event()
    began, spent = time.perf_counter(), _cpu_seconds()

    def look() -> float:
        """Returns the seconds to wait until the next look."""
        size, pause = _looks.memory()
        cost.peak_mb = max(cost.peak_mb, size / 1e6)
        return pause

    def watch() -> None:
        pause = _EVERY
        while not over.wait(pause):
            pause = look()

    watching = threading.Thread(target=watch, daemon=True, name="meter")
    watching.start()
    try:
        yield cost
    finally:
        over.set()
        watching.join()
        look()
        cost.seconds = time.perf_counter() - began
        cost.cpu_seconds = max(0.0, _cpu_seconds() - spent)


def _family() -> Iterator[psutil.Process]:
    ours = psutil.Process()
    yield ours
    yield from ours.children(recursive=True)


def _cpu_seconds() -> float:
    """Of all processes so far, and of their children that ended."""
    spent = 0.0
    for process in _family():
        with suppress(psutil.Error):
            spent += sum(process.cpu_times()[:4])
    return spent


class _Looks:
    """Looks at the memory that all meters of this process share: stages run inside stages."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._size, self._pause, self._at = 0, _EVERY, -_EVERY

    def memory(self) -> tuple[int, float]:
        """Bytes of all processes, as of a moment ago at most, and seconds until it is worth looking again."""
        with self._looking:
            if time.monotonic() - self._at >= self._pause / 2:
                began = time.thread_time()
                self._size = _memory()
                self._pause = max(_EVERY, (time.thread_time() - began) / _SHARE)
                self._at = time.monotonic()
            return self._size, self._pause


_looks = _Looks()


def _memory() -> int:
    """Bytes; a page that processes share is split among them, where the system tells."""
    size = 0
    for process in _family():
        with suppress(psutil.Error):
            size += _split_memory(process.pid) or process.memory_info().rss
    return size


def _split_memory(pid: int) -> int:
    """Linux's sum over the maps of a process; psutil reads the thousands of maps one by one. 0: not told."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
