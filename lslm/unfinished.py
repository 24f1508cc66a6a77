"""What is being written carries its process in its name, so that it can be swept when that is gone.

Its machine too: several may share a workspace, and each knows of its own processes alone.
"""

import os
import re
import shutil
import socket
import tempfile
import zlib
from collections.abc import Iterable
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

import psutil

_MAKER = re.compile(r"(?:^|\.)([0-9a-f]{8})-(\d+)-(\d+)-[a-z0-9_]{8}$")
_CLOCK_DRIFT = 5
"""Seconds by which the start of one process may seem to move when the clock is set."""
_SOCKET = 60
"""Bytes of a folder in which `multiprocessing` can still name its socket: with its own part, below 107."""


def mark() -> str:
    """The last part of a name before the eight characters of `tempfile`: machine, process, and when it began."""
    return f"{_machine()}-{os.getpid()}-{psutil.Process().create_time():.0f}-"


def sweep(paths: Iterable[Path]) -> None:
    """Remove files and folders whose process is gone; those that no process marked stay."""
    for path in paths:
        maker = _MAKER.search(path.name)
        if maker is None or maker[1] != _machine() or _lives(int(maker[2]), int(maker[3])):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@cache
def claim_temporary() -> None:
    """Give this process, its libraries and its children a temporary folder that goes with it.

    What a killed process left in the system's temporary folder cannot be told from what others need; a
    folder that is its own can. Where the system's has a very long name, it is used itself.
    """
    parent = Path(tempfile.gettempdir())
    sweep(parent.glob("lslm.*"))
    folder = tempfile.mkdtemp(prefix=f"lslm.{mark()}")
    if len(folder.encode()) > _SOCKET:
        Path(folder).rmdir()
        return
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    # After those of `multiprocessing`, which keeps its sockets there.
    Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, exitpriority=-1000)


def _machine() -> str:
    """This machine in eight characters."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def _lives(pid: int, born: int) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - born) <= _CLOCK_DRIFT
    except psutil.NoSuchProcess:
        return False
