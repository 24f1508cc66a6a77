"""What `shim.c` is told and tells: which call to kill or fail at, and what it hit."""

import errno
import shutil
import struct
import subprocess
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

_SOURCE = Path(__file__).with_name("shim.c")


class Action(IntEnum):
    """What happens at the chosen call; the numbers are those of the shim."""

    COUNT = 0
    KILL_GROUP = 1
    KILL_SELF = 2
    TERMINATE = 3
    FAIL = 4
    """The first write, sync or rename from the chosen call on fails."""
    FAIL_EACH = 5
    """The 1st, 16th, 256th, ... write, sync and rename of each kind fail, once and for all runs."""
    FILL = 6
    """From the chosen call on, whatever writes, syncs or renames fails."""
    LIST = 7


class Who(IntEnum):
    """Whose calls count."""

    ANYONE = 0
    COMMAND = 1
    TRAINING = 2


@dataclass(frozen=True)
class Fault:
    """What is to happen, and when."""

    action: Action
    at: int = 0
    """Number of the call, from 1."""
    who: Who = Who.ANYONE
    error: int = errno.ENOSPC


_HEAD = struct.Struct("=6q512s")
"""Of the control file: seen, at, action, who, error, done, hit. What follows it counts calls by kind."""
_KINDS = 2 * 8 * 8192


class Shim:
    """The shim over one folder. `tell` it in turn, and it does one thing after the other."""

    def __init__(self, library: Path, below: Path, at: Path) -> None:
        """Watch what lies below the folder `below`; `at` is a folder outside it for the shim's own files."""
        self._control, self.log = at / "control", at / "calls.txt"
        self._control.write_bytes(bytes(_HEAD.size + _KINDS))
        self.variables = {
            "LD_PRELOAD": str(library),
            "FAULTS_BELOW": str(below),
            "FAULTS_CONTROL": str(self._control),
            "FAULTS_LOG": str(self.log),
        }

    def tell(self, fault: Fault) -> None:
        """Count from 0 again, and wait for this; how often each kind of call was seen stays known."""
        head = _HEAD.pack(0, fault.at, fault.action, fault.who, fault.error, 0, b"")
        with self._control.open("r+b") as file:
            file.write(head)

    def seen(self) -> int:
        """Calls since it was told."""
        return int(self._head()[0])

    def done(self) -> int:
        """How often what it was told has happened."""
        return int(self._head()[5])

    def hit(self) -> str:
        """The call at which it first happened."""
        return self._head()[6].rstrip(b"\0").decode(errors="replace")

    def _head(self) -> tuple[Any, ...]:
        with self._control.open("rb") as file:
            return _HEAD.unpack(file.read(_HEAD.size))


def compiler() -> str | None:
    """A C compiler, if this machine has one."""
    return shutil.which("cc")


def built(into: Path) -> Path:
    """The shim as a library."""
    library = into / "shim.so"
    command = ("cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror")
    subprocess.run([*command, "-o", library, _SOURCE, "-ldl"], check=True)
    return library
