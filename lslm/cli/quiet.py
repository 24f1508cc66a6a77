"""A terminal that belongs to the command: what libraries print goes to the workspace's log."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lslm.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from lslm.workspace import Workspace


class Failed(Exception):
    """The work failed; the message is one line, the rest is in the log."""


@contextmanager
def quietly(workspace: "Workspace", on_interrupt: str = "stopped") -> Iterator["Console"]:
    """Send all output to the log; yields a console on the real stderr.

    File descriptors too, not `sys.stdout` alone: C++ and child processes write there.
    """
    from rich.console import Console

    with _terminal_kept() as terminal, _diverted(workspace.log):
        try:
            yield Console(file=terminal, highlight=False, soft_wrap=not terminal.isatty())
        except KeyboardInterrupt:
            print(f"\n{on_interrupt}", file=terminal)
            raise
        except InputError:
            raise
        except Exception as error:
            traceback.print_exc()
            raise Failed(f"{_summary(error)}\n  log: {_shown(workspace.log)}") from error


@contextmanager
def _terminal_kept() -> Iterator[TextIO]:
    """The stderr of before, whatever becomes of descriptor 2."""
    with os.fdopen(os.dup(2), "w", errors="replace") as terminal:
        yield terminal


@contextmanager
def _diverted(path: Path) -> Iterator[None]:
    log = _log(path)
    before = sys.stdout, sys.stderr
    for stream in before:
        stream.flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    sys.stdout = sys.stderr = log
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for descriptor, original in enumerate(saved, start=1):
            os.dup2(original, descriptor)
            os.close(original)


class _Log(TextIOWrapper):
    """What cannot be written, as on a full disk, is lost; it is no reason to stop."""

    def write(self, s: str, /) -> int:
        with suppress(OSError):
            return super().write(s)
        return len(s)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


def _log(path: Path) -> TextIO:
    """Left open: loggers made meanwhile keep writing to it until the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = _Log(path.open("ab"), encoding="utf-8", errors="replace", line_buffering=True)
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    print(f"--- {now} lslm {' '.join(sys.argv[1:])}", file=log)
    return log


def _summary(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
