"""What `lslm up` shows: which server is waited for, and where each is."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from lslm.services import processes, state
from lslm.services.session import Wanted, session
from lslm.services.supervisor import ServerFailed
from lslm.workspace import Workspace

if TYPE_CHECKING:
    from rich.status import Status

_LOOK = 0.2
_STOP = 60.0


class Waiting:
    """A line that tells which servers are waited for; on a pipe a line a server that is up."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None

    def waiting(self, names: Sequence[str], seconds: float) -> None:
        """Show the names and the time."""
        if not self._console.is_terminal:
            return
        text = f"waiting for {', '.join(names)} ({seconds:.0f} s)"
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)

    def ready(self, name: str, seconds: float) -> None:
        """Show that a server is up."""
        self._console.print(f"{name} is up ({seconds:.1f} s)")

    def done(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


def attached(wanted: Wanted, home: Workspace, as_json: bool) -> None:
    """Serve until Ctrl-C or SIGTERM, or until a server fails."""
    from lslm.cli.quiet import Failed

    shown = Waiting()
    try:
        with _ended_by_signals(), session(wanted, home, shown) as servers:
            shown.done()
            show(servers.state, home, as_json)
            print("Ctrl-C or `lslm down` stops them", file=sys.stderr)
            while True:
                servers.check()
                time.sleep(1)
    except ServerFailed as error:
        raise Failed(str(error)) from error
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise
    finally:
        shown.done()


def detached(home: Workspace, as_json: bool) -> None:
    """Start the same command without the terminal, and return when its servers are up."""
    arguments = [each for each in sys.argv[1:] if each != "--detach"]
    log = state.folder(home) / "up.log"
    process, identity = processes.start([sys.executable, "-m", "lslm", *arguments], {}, log, "")
    shown, began = Waiting(), time.monotonic()
    known: set[str] = set()
    try:
        while process.poll() is None:
            current = state.read(home)
            if current is not None and current.owner == identity:
                _told(shown, current, known, time.monotonic() - began)
                if current.ready:
                    shown.done()
                    show(current, home, as_json)
                    return
            time.sleep(_LOOK)
    except KeyboardInterrupt:
        _stopped(process)
        raise
    finally:
        shown.done()
    print(log.read_text(errors="replace").strip().split("\n")[-1], file=sys.stderr)
    raise typer.Exit(process.returncode)


def show(current: state.State, home: Workspace, as_json: bool) -> None:
    """Print where everything is."""
    from lslm.services.databases import shown

    kind = {"sqlite": "SQLite", "embedded": "PostgreSQL (embedded)", "given": "PostgreSQL"}
    database = current.database
    at = shown(database.mlflow).rpartition("/")[0] if database.mlflow else str(home.root)
    if as_json:
        names = ("prefect", "prefect_api", "mlflow", "optuna", "pool")
        values = {name: getattr(current, name) for name in names}
        values |= {"database": database.kind, "pid": current.owner.pid if current.owner else None}
        print(json.dumps(values, indent=2), flush=True)
        return
    print(f"Prefect   {current.prefect}")
    print(f"MLflow    {current.mlflow}")
    print(f"Optuna    {current.optuna}")
    print(f"worker    work pool {current.pool!r}")
    print(f"database  {kind[database.kind]}, {at}", flush=True)


def _told(shown: Waiting, current: state.State, known: set[str], seconds: float) -> None:
    for server in current.servers:
        if server.name not in known and server.name not in current.waiting:
            known.add(server.name)
            shown.ready(server.name, seconds)
    if current.waiting:
        shown.waiting(current.waiting, seconds)


def _stopped(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(_STOP)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the command as Ctrl-C does."""
    signals = (signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.signal(number, signal.default_int_handler)) for number in signals]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
