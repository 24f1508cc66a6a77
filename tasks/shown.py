"""What a flow run on a server shows while it goes on: its log, and a progress artifact a bar."""

import re
import threading
import time
from typing import Any
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from lslm import progress

_PAUSE = 5.0
"""Seconds between two updates of a bar."""


class FlowRunPage:
    """Stages as lines of the run's log; bars as progress artifacts, updated every few seconds."""

    def __init__(self, pipeline: str) -> None:
        self._pipeline = pipeline

    def waiting(self) -> None:
        """Another run of the pipeline is going on."""
        get_run_logger().info(f"another run of {self._pipeline} is going on; waiting for its end")

    def stage(self, name: str) -> None:
        """A stage begins."""
        get_run_logger().info(name)

    def say(self, text: str) -> None:
        """What a stage has to say is a line of the log."""
        get_run_logger().info(text)

    def start(self, name: str, total: float | None, unit: str, limit: float | None) -> progress.Bar:
        """A bar begins; one of unknown length stays empty until its end."""
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        made: Any = create_progress_artifact(
            0.0, key=f"{self._pipeline}-progress-{slug}", description=name
        )
        return _Bar(made, name, total, unit)

    def stop(self, bar: progress.Bar) -> None:
        """The bar shows where it ended."""
        if isinstance(bar, _Bar):
            bar.end()


class _Bar:
    def __init__(self, artifact: UUID, name: str, total: float | None, unit: str) -> None:
        self._artifact, self._name, self._total, self._unit = artifact, name, total, unit
        self._done, self._note, self._shown = 0.0, "", time.monotonic()
        self._lock = threading.Lock()

    def advance(self, amount: float = 1.0) -> None:
        """Move on by `amount`."""
        with self._lock:
            self._done += amount
        self._update()

    def reach(self, done: float) -> None:
        """Move on to `done`."""
        with self._lock:
            self._done = max(self._done, done)
        self._update()

    def note(self, text: str) -> None:
        """Show a few words beside the bar."""
        self._note = text
        self._update()

    def end(self) -> None:
        """Show the last state; a bar of unknown length is full now."""
        if self._total is None:
            self._total = self._done = 1.0
        self._show()

    def _update(self) -> None:
        with self._lock:
            if self._total is None or time.monotonic() - self._shown < _PAUSE:
                return
            self._shown = time.monotonic()
        self._show()

    def _show(self) -> None:
        total = self._total or 1.0
        count = f"{self._done:,.0f} of {total:,.0f} {self._unit}" if self._unit else ""
        said = ", ".join(part for part in (self._name, count, self._note) if part)
        share = 100.0 * min(1.0, self._done / total)
        update_progress_artifact(self._artifact, progress=share, description=said)
