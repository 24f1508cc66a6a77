"""One `lslm up`: starts the servers of a workspace, watches them, and leaves none behind."""

import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from lslm.errors import InputError
from lslm.services import leftovers, processes, state
from lslm.services.launches import HOST, Launch
from lslm.services.state import Server, State
from lslm.workspace import Workspace

START = 240.0
"""Seconds the servers of a stage may take to answer; the first start makes their tables."""
_LOOK = 0.25


class Audience(Protocol):
    """Who is told how far it is."""

    def waiting(self, names: Sequence[str], seconds: float) -> None:
        """These are not healthy yet, after so many seconds."""
        ...

    def ready(self, name: str, seconds: float) -> None:
        """This one is healthy."""
        ...


class ServerFailed(Exception):
    """A server ended or does not answer; says which, and where its log is."""


class Supervisor:
    """The servers of one session; every step is written down before the next."""

    def __init__(self, workspace: Workspace, database: state.Database, audience: Audience) -> None:
        self.workspace, self.audience = workspace, audience
        self.state = State(
            host=socket.gethostname(),
            token=secrets.token_hex(8),
            owner=processes.this(),
            database=database,
        )
        self._running: list[tuple[Server, subprocess.Popen[bytes]]] = []
        self._note()

    def start(self, launches: Sequence[Launch]) -> None:
        """Start servers side by side, and wait until all are healthy."""
        for launch in launches:
            self._start(launch)
        began, waited_for = time.monotonic(), {launch.name: launch for launch in launches}
        while waited_for:
            self.check()
            seconds = time.monotonic() - began
            self.audience.waiting(tuple(waited_for), seconds)
            for name in [name for name, launch in waited_for.items() if launch.healthy()]:
                del waited_for[name]
                self.audience.ready(name, seconds)
                self._note(waiting=tuple(waited_for))
            if waited_for and seconds > START:
                raise self._failed(next(iter(waited_for)), f"did not answer within {START:g} s")
            time.sleep(_LOOK if waited_for else 0)

    def ready(self, database: state.Database, **addresses: str | None) -> None:
        """Write down where the servers are: from now on runs use them."""
        self._note(ready=True, database=database, **addresses)

    def check(self) -> None:
        """ServerFailed if a server has ended."""
        for server, process in self._running:
            if process.poll() is not None:
                raise self._failed(server.name, f"ended with status {process.returncode}")

    def stop(self) -> None:
        """Stop everything; runs no longer use it."""
        self._note(ready=False)
        leftovers.stop(self.state)
        self._note(owner=None, servers=(), waiting=())

    def _start(self, launch: Launch) -> None:
        log = state.folder(self.workspace) / f"{launch.name.lower()}.log"
        mark = leftovers.mark(self.state, launch.name)
        process, identity = processes.start(launch.command, launch.environment, log, mark)
        server = Server(
            name=launch.name,
            process=identity,
            stage=launch.stage,
            stop_signal=launch.stop_signal,
            children_first=launch.children_first,
            log=log,
        )
        self._running.append((server, process))
        waiting = (*self.state.waiting, launch.name)
        self._note(servers=(*self.state.servers, server), waiting=waiting)

    def _note(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
        state.write(self.workspace, self.state)

    def _failed(self, name: str, what: str) -> ServerFailed:
        log = next(server.log for server, _ in self._running if server.name == name)
        return ServerFailed(f"{name} {what}{_last_words(log)}\n  log: {log}")


@contextmanager
def supervised(
    workspace: Workspace, database: state.Database, audience: Audience
) -> Iterator[Supervisor]:
    """The only session of a workspace; whatever happens in the block, its servers are stopped.

    What a killed session left is stopped first. A second session raises InputError.
    """
    with _only_one(workspace):
        leftovers.clean(workspace)
        supervisor = Supervisor(workspace, database, audience)
        try:
            yield supervisor
        finally:
            with _undisturbed():
                supervisor.stop()


def refuse_taken(launches: Sequence[Launch]) -> None:
    """InputError for the first port that another process holds."""
    for launch in launches:
        if launch.port is not None and not is_free(launch.port):
            raise InputError(
                f"port {launch.port} is in use", where=launch.option, right="a free port"
            )


def is_free(port: int) -> bool:
    """Whether a server could listen there, on this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _only_one(workspace: Workspace) -> Iterator[None]:
    state.folder(workspace).mkdir(parents=True, exist_ok=True)
    # The kernel opens the lock when its holder dies, however that happens.
    lock = FileLock(state.folder(workspace) / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"servers run for this workspace already{_whose(workspace)}",
            where=str(workspace.root),
            right="`lslm down` first, or another --workspace",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _whose(workspace: Workspace) -> str:
    known = state.read(workspace)
    if known is None or known.owner is None:
        return ""
    pages = f", {known.prefect}" if known.prefect else ""
    return f" (process {known.owner.pid}{pages})"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Another Ctrl-C would leave servers behind; every step below ends by itself."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in signals]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last[:200]}" if last else ""
