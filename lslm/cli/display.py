"""Stages and bars on a terminal; stage names as plain lines where there is none."""

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

from lslm import progress

_SHORT_COUNT = 1000
"""Above, a share says more than a count."""

_ROUNDING = 1e-6


class TerminalDisplay:
    """A line a stage, with a tick and its time when it is done, and bars below the running one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal
        self._bars = Progress(
            SpinnerColumn(style="cyan", finished_text=" "),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _Percent(),
            _TimeLeft(),
            _Beside(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._live,
        )
        self._lock = threading.Lock()
        self._stage: tuple[str, float] | None = None
        self._stage_line: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_stage(failed=kind is not None)
        self._bars.stop()

    def stage(self, name: str) -> None:
        """The running stage is done, and this one begins."""
        self._end_stage()
        with self._lock:
            self._stage = name, time.monotonic()
            if self._live:
                self._stage_line = self._bars.add_task(
                    f"[bold]{name}", total=None, note="", unit="", limit=None
                )
            else:
                self._console.print(name)

    def say(self, text: str) -> None:
        """A line of its own, also where there is no terminal."""
        self._console.print(f"  {escape(text)}", style="dim")

    def start(self, name: str, total: float | None, unit: str, limit: float | None) -> progress.Bar:
        """A bar below the running stage."""
        task = self._bars.add_task(f"  {name}", total=total, note="", unit=unit, limit=limit)
        return _Bar(self._bars, task)

    def stop(self, bar: progress.Bar) -> None:
        """The bar goes away; its stage tells the time."""
        if isinstance(bar, _Bar):
            self._bars.remove_task(bar.task)

    def _end_stage(self, failed: bool = False) -> None:
        with self._lock:
            if self._stage is None:
                return
            name, began = self._stage
            self._stage = None
            if self._stage_line is not None:
                self._bars.remove_task(self._stage_line)
                self._stage_line = None
        if self._live:
            mark = "[red]✗[/]" if failed else "[green]✓[/]"
            self._console.print(f"{mark} {name:<28} [dim]{duration(time.monotonic() - began)}[/]")


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars, self.task, self._done = bars, task, 0.0
        self._lock = threading.Lock()

    def advance(self, amount: float = 1.0) -> None:
        with self._lock:
            self._done += amount
            self._bars.update(self.task, completed=self._done)

    def reach(self, done: float) -> None:
        self.advance(max(0.0, done - self._done))

    def note(self, text: str) -> None:
        self._bars.update(self.task, note=text)


class _Beside(ProgressColumn):
    def render(self, task: Task) -> Text:
        """How far, for short counts, and what the stage has to say."""
        note, unit = task.fields["note"], task.fields["unit"]
        counted = bool(unit and task.total and task.total <= _SHORT_COUNT)
        whole = int(task.completed + _ROUNDING)
        count = f"{whole}/{task.total:g} {unit}" if counted else ""
        return Text(", ".join(part for part in (count, note) if part), style="dim")


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        """From the pace since the start: the last steps alone mislead where several end at once."""
        if task.total is None:
            return Text("")
        so_far, limit = task.elapsed or 0.0, task.fields["limit"]
        left = so_far * (task.total / task.completed - 1) if task.completed else None
        if limit is not None:
            left = max(0.0, min(limit - so_far, limit if left is None else left))
        if left is None:
            return Text("-:-- left", style="cyan")
        minutes, seconds = divmod(round(left), 60)
        return Text(f"{minutes}:{seconds:02d} left", style="cyan")


class _Percent(ProgressColumn):
    def render(self, task: Task) -> Text:
        """A share where the length is known; the time so far where it is not."""
        if task.total is None:
            return Text(duration(task.elapsed or 0.0), style="dim")
        return Text(f"{task.percentage:3.0f}%")


def duration(seconds: float) -> str:
    """A time as a person says it.

    Example:
        >>> duration(3.21), duration(75), duration(3700)
        ('3.2 s', '1 min 15 s', '1 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
