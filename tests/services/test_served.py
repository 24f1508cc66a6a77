"""The real servers: up, found by a run, killed, cleaned up, on SQLite and on PostgreSQL."""

import json
import os
import signal
import urllib.request

import psutil
import pytest

from tests.flows.tiny import lslm, written
from tests.services.real import answer, everything, skip_without, up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(params=["--sqlite", "--postgres"])
def database(request):
    skip_without(request.param)
    return request.param


@pytest.fixture
def home(tmp_path):
    yield written(tmp_path)
    lslm("down", home=tmp_path)


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
    assert "nothing changed" in lslm("run", "tiny.yaml", home=home).stderr

    servers = everything(home)
    down = lslm("down", home=home)
    assert down.returncode == 0, down.stderr
    assert not psutil.wait_procs(servers, timeout=5)[1]
    assert "nothing changed" in lslm("run", "tiny.yaml", home=home).stderr
    if database == "--postgres":
        refused = lslm("models", home=home)
        assert (refused.returncode, "which is not running" in refused.stderr) == (2, True)
    else:
        assert lslm("predict", "--model", "tiny/1", "a good film", home=home).returncode == 0
