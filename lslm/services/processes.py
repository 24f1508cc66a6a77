"""Processes of this machine: started with a mark, known again after a crash, stopped with all they started.

A number alone names no process: after its end another may get it. Here a process is a number and the
moment it began. What a server starts on its own is found by a mark in its environment, which
children inherit, whatever session or parent they end up with.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

MARK = "LSLM_SERVICE"
"""Variable that every process of a server carries: `TOKEN/NAME`."""
_CLOCK_DRIFT = 5.0
"""Seconds by which the beginning of one process may seem to move when the clock is set."""
_LOOK = 0.1
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


class Process(BaseModel):
    """A process, told apart from a later one of the same number."""

    model_config = ConfigDict(frozen=True)

    pid: int
    born: float
    """Seconds since 1970."""

    def found(self) -> psutil.Process | None:
        """The living process; None where it has ended, or where another has its number."""
        with contextlib.suppress(*_GONE):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) <= _CLOCK_DRIFT
            return process if same and _lives(process) else None
        return None


def this() -> Process:
    """The process that asks."""
    process = psutil.Process()
    return Process(pid=process.pid, born=process.create_time())


def start(
    command: Sequence[str], environment: Mapping[str, str], log: Path, mark: str
) -> tuple[subprocess.Popen[bytes], Process]:
    """Start a command in a session of its own, out of reach of the terminal's Ctrl-C."""
    log.parent.mkdir(parents=True, exist_ok=True)
    # Servers call their own tools by name; they are beside this Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with log.open("wb") as file:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": path, **environment, MARK: mark},
            start_new_session=True,
        )
    return started, Process(pid=started.pid, born=psutil.Process(started.pid).create_time())


def marked(prefix: str) -> list[psutil.Process]:
    """Every living process whose mark starts so; those that may not be looked at are left out."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(*_GONE, OSError):
            if process.environ().get(MARK, "").startswith(prefix) and _lives(process):
                found.append(process)
    return found


def members(leader: Process, mark: str) -> list[psutil.Process]:
    """The leader, its descendants, and whatever else carries its mark."""
    found = {process.pid: process for process in marked(mark)}
    if (process := leader.found()) is not None:
        found[process.pid] = process
        found |= {child.pid: child for child in children(process, recursive=True)}
    return list(found.values())


def children(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
    """What the process started and is still there."""
    with contextlib.suppress(*_GONE):
        return [child for child in process.children(recursive=recursive) if _lives(child)]
    return []


def stop(
    first: Callable[[], Sequence[psutil.Process]],
    leaders: Callable[[], Sequence[tuple[psutil.Process, int]]],
    everyone: Callable[[], Sequence[psutil.Process]],
    patience: float,
) -> None:
    """Ask those that go first, then the leaders, each by its own signal; ask everyone; then kill.

    Each step has `patience` seconds. Nobody is left after it.
    """
    if _signalled([(process, signal.SIGTERM) for process in first()]):
        _all_gone(first, patience)
    if _signalled(leaders()) and _all_gone(everyone, patience):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _signalled([(process, number) for process in everyone()]):
            return
        if _all_gone(everyone, patience):
            return


def _signalled(processes: Sequence[tuple[psutil.Process, int]]) -> bool:
    for process, number in processes:
        with contextlib.suppress(*_GONE):
            process.send_signal(number)
    return bool(processes)


def _all_gone(everyone: Callable[[], Sequence[psutil.Process]], patience: float) -> bool:
    end = time.monotonic() + patience
    while everyone():
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK)
    return True


def _lives(process: psutil.Process) -> bool:
    return process.status() != psutil.STATUS_ZOMBIE
