"""The whole search inside each outer fold: killed between two folds, gone on with, told and audited."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flows.tiny import environment, lslm, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NESTED = ("evaluation.nested=true", "evaluation.curve=[]", "evaluation.seeds=1")
OPTIONS = [each for setting in (*NESTED, "evaluation.explained=0") for each in ("--set", setting)]


@dataclass(frozen=True)
class World:
    """What a run left that was killed once the search inside the first fold was done."""

    home: Path
    report: dict[str, Any]
    said: str
    """On the terminal, by the run that finished."""
    planned: str
    """What `lslm plan` said between the two."""
    before: dict[Path, int]
    """Results of searches inside a fold when it was killed, with their time."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = written(tmp_path_factory.mktemp("nested"))
    process = subprocess.Popen(
        [sys.executable, "-m", "lslm", "run", "tiny.yaml", *OPTIONS],
        cwd=home,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for_a_search(home, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
    before = searches(home)
    planned = lslm("plan", "tiny.yaml", *OPTIONS, home=home)
    done = lslm("run", "tiny.yaml", *OPTIONS, "--json", home=home)
    assert done.returncode == 0, done.stderr + (home / "workspace" / "lslm.log").read_text()
    return World(home, json.loads(done.stdout), done.stderr, planned.stdout, before)


def wait_for_a_search(home: Path, process: "subprocess.Popen[bytes]") -> None:
    end, log = time.monotonic() + 600, home / "workspace" / "lslm.log"
    while not searches(home):
        assert process.poll() is None, log.read_text() if log.exists() else "it never began"
        assert time.monotonic() < end, "no search inside a fold came to an end"
        time.sleep(0.02)


def searches(home: Path) -> dict[Path, int]:
    found = (home / "workspace" / "results").glob("search-inside-*")
    return {path: path.stat().st_mtime_ns for path in found}


def test_what_a_search_costs_is_said_before_it_starts(world: World) -> None:
    said = r"nested: 2 more searches and the fits of what they choose, about \d+ min"
    assert re.search(said, world.said)
    assert re.search(said, world.planned)


def test_the_report_tells_the_nested_score_and_the_optimism(world: World) -> None:
    found, folds = world.report["nested"], world.report["cross_validation"]["systems"]["network"]
    nested, gap = found["scores"]["accuracy"], found["optimism"]
    n = world.report["corpus"]["split"]["development"]["documents"]
    assert nested["n"] == gap["n"] == n == sum(each["n"] for each in found["choices"])
    assert gap["difference"] == pytest.approx(folds["accuracy"]["value"] - nested["value"])
    assert gap["low"] <= gap["difference"] <= gap["high"]
    assert [set(each["chosen"]) for each in found["choices"]] == [
        {"encoder.units", "training.epochs"}
    ] * 2
    assert [each["n_trials"] for each in found["choices"]] == [2, 2]


def test_mlflow_shows_which_fold_a_trial_belongs_to(world: World) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{world.home / 'workspace' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert Counter(run.data.tags.get("lslm.fold") for run in children) == {None: 2, "1": 2, "2": 2}
    names = {run.info.run_name for run in children if run.data.tags.get("lslm.fold") == "2"}
    assert names == {"fold 2, trial 0", "fold 2, trial 1"}
    metrics = client.get_run(world.report["run_id"]).data.metrics
    assert metrics["nested/optimism"] == world.report["nested"]["optimism"]["difference"]
    assert metrics["nested/accuracy"] == world.report["nested"]["scores"]["accuracy"]["value"]


def test_a_fold_that_was_searched_is_not_searched_again(world: World) -> None:
    after = searches(world.home)
    assert len(world.before) == 1
    assert world.before.items() <= after.items()
    assert len(after) == 2
    with sqlite3.connect(world.home / "workspace" / "optuna.db") as connection:
        states = Counter(state for (state,) in connection.execute("SELECT state FROM trials"))
    assert states["COMPLETE"] + states["PRUNED"] == 6
    assert "RUNNING" not in states


def test_the_audit_knows_the_parts_inside_the_folds(world: World) -> None:
    options = [*OPTIONS, "--only", "records", "--json"]
    audited = lslm("audit", "leakage", "tiny.yaml", *options, home=world.home)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    found = [(each["check"], each["looked_at"]) for each in json.loads(audited.stdout)]
    for number in (1, 2):
        assert ("rows inside a fold", f"fold {number}, search") in found
        assert ("rows scored", f"fold {number}, nested") in found
