"""What a piece of work costs: wall time, processor time and memory, of this process and all below it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil

_EVERY = 1.0
"""Seconds between two looks at the memory."""


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

    def look() -> None:
        cost.peak_mb = max(cost.peak_mb, _memory() / 1e6)

    def watch() -> None:
        while not over.wait(_EVERY):
            look()

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


def _memory() -> int:
    """Bytes; a page that processes share is split among them, where the system tells."""
    size = 0
    for process in _family():
        with suppress(psutil.Error):
            told: Any = process.memory_full_info()
            size += getattr(told, "pss", 0) or told.rss
    return size
