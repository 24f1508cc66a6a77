"""The command with its libraries loaded: each run is a fork of it, and begins in no time.

Loading them takes longer than most runs that end early. What runs is the command itself, in a session of its own,
with a fork server as its child; only, the two programs are forked where else they are started.

Run as a program, it is given orders as lines of JSON on standard input, and answers on standard output.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from multiprocessing import util
from pathlib import Path
from typing import Any

from lslm.training.workers import THREADS

_LIBRARIES = (
    "keras",
    "lslm.training.fitting",
    "flows.train",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.pyfunc",
    "sklearn.feature_extraction.text",
    "gensim.models",
    "onnxruntime",
)
_DESCRIPTORS = 2
"""That a fork server is given: where it listens, and what ends when its users have ended."""


class Warm:
    """The process that runs of the command are forked from."""

    def __init__(self, folder: Path, variables: Mapping[str, str], at: Path) -> None:
        """Runs are done in `folder`; what they say is kept in the folder `at`."""
        self.at = at
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=folder,
            # Read as the libraries are loaded.
            env={**variables, **dict.fromkeys(THREADS, "1")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(at / "warm.txt").open("w"),
            text=True,
        )

    def start(self, *arguments: str) -> "Forked":
        """Run the command."""
        said, errors = self.at / "said.txt", self.at / "errors.txt"
        order = {"arguments": arguments, "said": str(said), "errors": str(errors)}
        return Forked(self, self.ask({"start": order}), said, errors)

    def ask(self, order: Mapping[str, Any]) -> Any:
        """The answer to an order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """Nothing more is run."""
        self._process.communicate()


class Forked:
    """A run of the command; as far as it is needed, what `subprocess.Popen` is."""

    def __init__(self, warm: Warm, pid: int, said: Path, errors: Path) -> None:
        self.warm, self.pid, self.said, self.errors = warm, pid, said, errors
        self.returncode: Any = None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        if self.returncode is None:
            self.returncode = self.warm.ask({"ended": self.pid})
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it said, once it has ended."""
        end = time.monotonic() + (timeout or float("inf"))
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("lslm", timeout or 0)
            time.sleep(0.02)
        return self.said.read_text(), self.errors.read_text()


def main() -> None:
    """Load the libraries, then do what is ordered until no more orders come."""
    from lslm.cli.environment import prepare

    prepare(Path(os.environ["LSLM_WORKSPACE"]))
    for name in _LIBRARIES:
        import_module(name)
    while line := os.read(0, 1 << 16):
        order = json.loads(line)
        answer = _start(**order["start"]) if "start" in order else _ended(order["ended"])
        os.write(1, json.dumps(answer).encode() + b"\n")


def _start(arguments: list[str], said: str, errors: str) -> int:
    """The process that does the command."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    start, ordered = util.spawnv_passfds, _fork_server()

    def forked(path: Any, args: Any, passed: Any) -> int:
        nonlocal ordered
        if ordered is None or "multiprocessing.forkserver" not in str(args[-1]):
            return start(path, args, passed)
        order, ordered = ordered, None
        return order(args[-1], passed)

    util.spawnv_passfds = forked
    sys.argv = ["lslm", *arguments]
    from lslm.cli import main as command

    command()
    sys.exit()


def _fork_server() -> Callable[[str, list[int]], int] | None:
    """A child that is to become the fork server: forked now, while there is one thread."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child:
        theirs.close()

        def order(program: str, descriptors: list[int]) -> int:
            told = json.dumps([program, descriptors, dict(os.environ)]).encode()
            socket.send_fds(ours, [len(told).to_bytes(4, "big")], descriptors)
            ours.sendall(told)
            ours.close()
            return child

        return order
    ours.close()
    head, given, _, _ = socket.recv_fds(theirs, 4, _DESCRIPTORS)
    if not head:
        os._exit(0)
    told = b""
    while len(told) < int.from_bytes(head, "big"):
        told += theirs.recv(1 << 16)
    theirs.close()
    program, descriptors, environment = json.loads(told)
    os.environ.update(environment)
    places = dict(zip(descriptors, given, strict=True))
    # Its first two arguments are numbers of descriptors.
    arguments = re.sub(r"main\((\d+), (\d+)", lambda m: _main(places, m), program)
    exec(arguments, {})
    os._exit(0)


def _main(places: dict[int, int], found: "re.Match[str]") -> str:
    listener, alive = (places[int(number)] for number in found.groups())
    return f"main({listener}, {alive}"


def _ended(pid: int) -> int | None:
    """How a command ended, as `subprocess` tells it; None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    main()
