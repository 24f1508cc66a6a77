"""A terminal that belongs to the command: what libraries print goes to the workspace's log."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lslm.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from lslm.workspace import Workspace


class WorkFailedError(Exception):
    """The work failed; the message is one line, the rest is in the log."""


@contextmanager
def quietly(workspace: "Workspace", on_interrupt: str = "stopped") -> Iterator["Console"]:
    """Send file descriptors 1 and 2 to the log; yields a console on the real stderr.

    Descriptors, not `sys.stdout`: TensorFlow's C++ and child processes write there too.
    """
    from rich.console import Console

    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with _log(workspace.log) as log, os.fdopen(os.dup(2), "w", errors="replace") as terminal:
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            yield Console(file=terminal, highlight=False, soft_wrap=not terminal.isatty())
        except KeyboardInterrupt:
            print(f"\n{on_interrupt}", file=terminal)
            raise
        except InputError:
            raise
        except Exception as error:
            traceback.print_exc()
            raise WorkFailedError(f"{_summary(error)}\n  log: {_shown(workspace.log)}") from error
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, original in enumerate(saved, start=1):
                os.dup2(original, descriptor)
                os.close(original)


@contextmanager
def _log(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        os.write(descriptor, f"--- {now} lslm {' '.join(sys.argv[1:])}\n".encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _summary(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
