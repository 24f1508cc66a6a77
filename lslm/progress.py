"""What a person sees while a run goes on: stages, and bars in the long ones.

The library reports here and knows nothing of terminals; a command installs a display. Without one,
nothing is shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Bar(Protocol):
    """One running bar."""

    def advance(self, amount: float = 1.0) -> None:
        """Move on by `amount` of the bar's unit."""
        ...

    def reach(self, done: float) -> None:
        """Move on to `done` of the bar's unit, if it is not there yet."""
        ...

    def note(self, text: str) -> None:
        """Show a few words beside the bar, such as the best score so far."""
        ...


class Display(Protocol):
    """Where stages and bars are shown."""

    def stage(self, name: str) -> None:
        """A stage begins."""
        ...

    def say(self, text: str) -> None:
        """The running stage has something to say, such as how long it is going to take."""
        ...

    def start(self, name: str, total: float | None, unit: str, limit: float | None) -> Bar:
        """A bar appears; `total` is None where the length is not known.

        After `limit` seconds it is done, wherever it is.
        """
        ...

    def stop(self, bar: Bar) -> None:
        """A bar is done."""
        ...


class _Silent:
    def stage(self, name: str) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def start(self, name: str, total: float | None, unit: str, limit: float | None) -> Bar:
        return self

    def stop(self, bar: Bar) -> None:
        pass

    def advance(self, amount: float = 1.0) -> None:
        pass

    def reach(self, done: float) -> None:
        pass

    def note(self, text: str) -> None:
        pass


_display: Display = _Silent()
_SILENT = _Silent()
_running: ContextVar[Bar] = ContextVar("running", default=_SILENT)


@contextmanager
def shown_on(display: Display) -> Iterator[None]:
    """Send stages and bars to `display` inside the block."""
    global _display
    before, _display = _display, display
    try:
        yield
    finally:
        _display = before


def stage(name: str) -> None:
    """Say that a stage begins."""
    _display.stage(name)


def say(text: str) -> None:
    """Show a line about the running stage."""
    _display.say(text)


@contextmanager
def bar(
    name: str, total: float | None = None, unit: str = "", limit: float | None = None
) -> Iterator[Bar]:
    """Show a bar inside the block.

    Example:
        >>> with bar("clean", total=2, unit="documents") as progress:
        ...     progress.advance()
    """
    display = _display
    running = display.start(name, total, unit, limit)
    token = _running.set(running)
    try:
        yield running
    finally:
        _running.reset(token)
        display.stop(running)


def advance(amount: float = 1.0) -> None:
    """Move the innermost bar around the caller; threads that copy its context find it too."""
    _running.get().advance(amount)
