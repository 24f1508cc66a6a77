"""What a person does: serve, deploy, see it run, approve, roll back, stop; and several runs at once."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.flows.tiny import environment, lslm, written
from tests.services.real import everything, skip_without, up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

APPROVED = ("--set", "registry.approval=true", "--set", "gate.must_beat_baselines=false")


@pytest.fixture(params=["--sqlite", "--postgres"])
def database(request: pytest.FixtureRequest) -> str:
    skip_without(request.param)
    return request.param


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield written(tmp_path)
    lslm("down", home=tmp_path)


class Served:
    """The servers, asked over HTTP as a browser or another machine would."""

    def __init__(self, at: dict[str, Any], place: Path) -> None:
        self.at, self.place = at, place

    def prefect(self, code: str) -> Any:
        """What a client of Prefect (`c`) finds, as JSON."""
        program = (
            "import json\nfrom prefect.client.orchestration import get_client\n"
            f"with get_client(sync_client=True) as c:\n    print(json.dumps({code}, default=str))"
        )
        variables = {**environment(self.place), "PREFECT_API_URL": self.at["prefect_api"]}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def states(self) -> list[tuple[str, str]]:
        """Name and message of the state of each flow run that began, newest first."""
        found = self.prefect(
            "[(r.state_name, r.state.message, r.start_time) for r in c.read_flow_runs()]"
        )
        begun = sorted((each for each in found if each[2]), key=lambda each: each[2], reverse=True)
        return [(name, message) for name, message, _ in begun]

    def mlflow(self, path: str, **body: Any) -> Any:
        """An answer of MLflow's REST API."""
        data = json.dumps(body).encode() if body else None
        asked = urllib.request.Request(
            f"{self.at['mlflow']}/api/2.0/mlflow/{path}",
            data=data,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answered:
            return json.load(answered)

    def runs(self) -> list[dict[str, Any]]:
        experiments = self.mlflow("experiments/search", max_results=100)["experiments"]
        ids = [each["experiment_id"] for each in experiments]
        return self.mlflow("runs/search", experiment_ids=ids, max_results=1000).get("runs", [])

    def champion(self, name: str = "tiny") -> str | None:
        aliases = self.mlflow(f"registered-models/get?name={name}")["registered_model"]
        known = {each["alias"]: each["version"] for each in aliases.get("aliases", [])}
        return known.get("champion")


def eventually(what: Callable[[], Any], seconds: float = 180) -> Any:
    """The first true answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(1)
    raise AssertionError(f"not within {seconds} s")


def told(*arguments: str, place: Path) -> str:
    done = lslm(*arguments, home=place)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tags(run: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in run["data"]["tags"]}


def test_what_a_person_does_from_up_to_down(place: Path, database: str) -> None:
    served = Served(up(place, database), place)
    soon = datetime.now(UTC) + timedelta(seconds=8)
    when = f"DTSTART:{soon:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=DAILY"
    made = json.loads(
        told("deploy", "tiny.yaml", "--rrule", when, *APPROVED, "--json", place=place)
    )
    assert made["name"] == "train/tiny"

    # The scheduled run comes by itself, and waits for a person.
    eventually(lambda: served.states()[:1] and served.states()[0][0] == "Paused")
    assert served.champion() is None
    (run,) = (each for each in served.runs() if "mlflow.parentRunId" not in tags(each))
    (flow_run,) = served.prefect("[r.id for r in c.read_flow_runs() if r.start_time]")
    assert tags(run)["prefect.flow_run_id"] == flow_run
    assert tags(run)["prefect.flow_run_url"].endswith(flow_run)
    pages = dict(
        served.prefect("[(a.key, str(a.data)) for a in c.read_artifacts() if a.type=='markdown']")
    )
    stages = ("cleaning", "split", "tokens", "words", "search", "model", "folds", "holdout", "gate")
    assert {f"tiny-{name}" for name in stages} <= set(pages)
    assert all(run["info"]["run_id"] in page for page in pages.values())
    assert f"{served.at['mlflow']}/#/experiments/" in pages["tiny-gate"]

    told("approve", "tiny", "--reason", "read ten", place=place)
    assert served.champion() == "1"
    eventually(lambda: served.states()[0][0] == "Completed")
    assert "approved by" in served.states()[0][1]

    # A run that finds nothing new ends at once, without a new run in MLflow.
    n_runs = len(served.runs())
    served.prefect(f"c.create_flow_run_from_deployment('{made['id']}').id")
    eventually(lambda: served.states()[0] == ("Skipped", "nothing changed"))
    assert len(served.runs()) == n_runs

    # New data, a second version; forward by hand, and back.
    with (place / "films.csv").open("a", encoding="utf-8") as data:
        data.write("\nA lovely film without an end.,pos")
    told("run", "tiny.yaml", "--json", place=place)
    told("promote", "tiny", "2", "--reason", "on trial", place=place)
    assert served.champion() == "2"
    told("rollback", "tiny", "--reason", "misread the end", place=place)
    assert served.champion() == "1"
    moves = json.loads(told("history", "tiny", "--json", place=place))
    assert [move["why"] for move in moves][-2:] == ["on trial", "misread the end"]

    assert {each["info"]["status"] for each in served.runs()} == {"FINISHED"}
    assert not {"Running", "Paused", "Pending"} & {name for name, _ in served.states()}
    servers = everything(place)
    told("down", place=place)
    assert not psutil.wait_procs(servers, timeout=5)[1]


@pytest.mark.parametrize("servers", ["files", "--sqlite", "--postgres"])
def test_two_trainings_and_a_search_at_once_lose_nothing(place: Path, servers: str) -> None:
    if servers != "files":
        skip_without(servers)
        up(place, servers)
    asked = {"one": 3, "two": 3, "search": 8}
    text = (place / "tiny.yaml").read_text()
    for name in asked:
        (place / f"{name}.yaml").write_text(text.replace("name: tiny", f"name: {name}"))
    running = {
        name: subprocess.Popen(
            [
                sys.executable,
                "-m",
                "lslm",
                "run",
                f"{name}.yaml",
                "--json",
                "--set",
                f"search.n_trials={n_trials}",
            ],
            cwd=place,
            env=environment(place),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, n_trials in asked.items()
    }
    for name, process in running.items():
        out, error = process.communicate(timeout=600)
        assert process.returncode == 0, error
        assert "locked" not in error
        found = json.loads(out)["search"]
        assert found["n_complete"] + found["n_pruned"] == asked[name]
        assert found["n_failed"] == 0
        models = json.loads(told("models", name, "--json", place=place))
        assert len(models) == 1
        assert str(models[0]["version"]) == "1"
