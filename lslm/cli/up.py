"""`lslm up`: Prefect's and MLflow's pages, side by side, until Ctrl-C."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lslm.cli.environment import prepare
from lslm.cli.options import WorkspaceOption
from lslm.errors import InputError

if TYPE_CHECKING:
    from lslm.workspace import Workspace

_HOST = "127.0.0.1"
_START = 180.0
"""Seconds a server may take to answer; the first start migrates its database."""
_STOP = 15.0
"""Seconds a server may take to stop before it is killed."""


def up(
    port_prefect: Annotated[int, typer.Option(help="Port of Prefect.", min=1, max=65535)] = 4200,
    port_mlflow: Annotated[int, typer.Option(help="Port of MLflow.", min=1, max=65535)] = 5000,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve the pages of Prefect and MLflow.

    They show flows, runs and models, on this machine only, until Ctrl-C.

    \b
    Examples:
      lslm up
      lslm up --port-mlflow 5001
    """
    from lslm.settings import Settings
    from lslm.workspace import Workspace

    home = Workspace(workspace or Settings(name="up").workspace).create()
    prepare(home.root)
    servers = (_prefect(port_prefect), _mlflow(port_mlflow, home))
    for server in servers:
        _refuse_taken(server)
    with _stopped_by_sigterm(), contextlib.ExitStack() as stack:
        log = stack.enter_context(home.log.open("ab"))
        running = [stack.enter_context(_running(server, log.fileno())) for server in servers]
        for server, process in zip(servers, running, strict=True):
            _wait(server, process, home.log)
            print(f"{server.name:<8} http://{_HOST}:{server.port}", flush=True)
        print("Ctrl-C stops both", file=sys.stderr)
        _watch(servers, running, home.log)


@dataclass(frozen=True)
class _Server:
    name: str
    option: str
    port: int
    health: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def _prefect(port: int) -> _Server:
    command = ("-m", "prefect", "server", "start", "--host", _HOST, "--port", str(port))
    # The pages ask the address of the settings, which knows nothing of the option.
    pages = {"PREFECT_SERVER_UI_API_URL": f"http://{_HOST}:{port}/api"}
    return _Server("Prefect", "--port-prefect", port, "/api/health", command, pages)


def _mlflow(port: int, home: "Workspace") -> _Server:
    # One worker and no jobs: 2 processes and 0.5 GB instead of 15 and 2.1 GB.
    command = ("-m", "mlflow", "server", "--host", _HOST, "--port", str(port), "--workers", "1")
    store = ("--backend-store-uri", home.tracking_uri)
    artifacts = ("--default-artifact-root", home.artifacts.as_uri())
    return _Server("MLflow", "--port-mlflow", port, "/health", (*command, *store, *artifacts))


def _refuse_taken(server: _Server) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, server.port))
        except OSError:
            raise InputError(
                f"port {server.port} is in use", where=server.option, right="a free port"
            ) from None


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, with no server left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _running(server: _Server, log: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, so that it goes with all its children."""
    # The servers call their own tools by name; they are beside this Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    process = subprocess.Popen(
        [sys.executable, *server.command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, "PATH": path, **server.environment},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, _STOP), (signal.SIGKILL, _STOP)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        end = time.monotonic() + patience
        while _alive(process) and time.monotonic() < end:
            time.sleep(0.1)


def _alive(process: subprocess.Popen[bytes]) -> bool:
    """Whether any process of the group is left, the first one reaped or not."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _wait(server: _Server, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end:
        _refuse_dead(server, process, log)
        if _answers(server):
            return
        time.sleep(0.25)
    raise _failed(f"{server.name} did not answer within {_START:g} s", log)


def _answers(server: _Server) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://{_HOST}:{server.port}{server.health}", timeout=2
        ) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _watch(
    servers: Sequence[_Server], running: Sequence[subprocess.Popen[bytes]], log: Path
) -> None:
    while True:
        for server, process in zip(servers, running, strict=True):
            _refuse_dead(server, process, log)
        time.sleep(1)


def _refuse_dead(server: _Server, process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        raise _failed(f"{server.name} ended with status {process.returncode}", log)


def _failed(what: str, log: Path) -> Exception:
    from lslm.cli.quiet import Failed

    return Failed(f"{what}\n  log: {log}")
