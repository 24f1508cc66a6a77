"""Which process holds a run, and whether it still lives."""

import getpass
import os
import socket
from collections.abc import Mapping

import psutil

HOST, PID, BORN = "lslm.host", "lslm.pid", "lslm.pid_started"
_CLOCK_DRIFT = 5.0
"""Seconds by which the start time of one process may seem to move when the clock is set."""


def mine() -> dict[str, str]:
    """Tags that name this process; its start time tells it from a later one of that number."""
    born = psutil.Process().create_time()
    return {HOST: socket.gethostname(), PID: str(os.getpid()), BORN: f"{born:.2f}"}


def is_mine(tags: Mapping[str, str]) -> bool:
    """Whether this very process holds the run."""
    return tags.get(PID) == str(os.getpid()) and is_here(tags) and not is_dead(tags)


def is_dead(tags: Mapping[str, str]) -> bool:
    """Whether the holder ran on this machine and is gone; of other machines nothing is known."""
    if not is_here(tags) or not tags.get(PID, "").isdigit():
        return False
    born = _born(int(tags[PID]))
    return born is None or abs(born - float(tags.get(BORN, born))) > _CLOCK_DRIFT


def person() -> str:
    """Who is at work, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def is_here(tags: Mapping[str, str]) -> bool:
    """Whether the holder runs, or ran, on this machine."""
    return tags.get(HOST) == socket.gethostname()


def _born(pid: int) -> float | None:
    """When the process began, in seconds; None where it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
