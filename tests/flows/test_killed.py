"""A run that is killed goes on where it stopped, and comes to what it would have come to."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.flows.tiny import environment, fitting, lslm, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# One process and one trial at a time: the study then sees the same history in both runs.
ALONE = ("--set", "execution.workers=1")
N_DEATHS = 3
POINTS = ("search", "trial", "fold", "fit")
"""Killed when: the search began, a trial is done, a fold is done, the final fit began."""


def test_a_run_killed_four_times_equals_one_that_was_not(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = written(tmp_path_factory.mktemp("undisturbed"))
    undisturbed = finished(whole)
    disturbed = written(tmp_path_factory.mktemp("disturbed"))
    for point in POINTS:
        killed_at(point, disturbed)
    before = {fold: fold.stat().st_mtime_ns for fold in results(disturbed, "fold")}
    report = finished(disturbed)

    after = {fold: fold.stat().st_mtime_ns for fold in results(disturbed, "fold")}
    assert len(before) >= 2
    assert before.items() <= after.items(), "a finished fold was done again"
    assert len(after) == len(results(whole, "fold"))
    assert report["holdout"] == undisturbed["holdout"]
    assert report["cross_validation"] == undisturbed["cross_validation"]
    assert report["chosen"] == undisturbed["chosen"]
    trials = rows(disturbed / "workspace" / "optuna.db", "SELECT state FROM trials")
    assert Counter(trials)["COMPLETE"] + Counter(trials)["PRUNED"] == 2
    assert "RUNNING" not in trials
    runs = rows(disturbed / "workspace" / "mlflow.db", "SELECT status FROM runs")
    assert "RUNNING" not in runs
    parents = rows(
        disturbed / "workspace" / "mlflow.db",
        "SELECT status FROM runs WHERE run_uuid NOT IN "
        "(SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId')",
    )
    assert parents == ["FINISHED"]
    served = disturbed / "workspace" / "prefect" / "prefect.db"
    for kind in ("flow", "task"):
        states = Counter(rows(served, f"SELECT state_type FROM {kind}_run"))
        assert states["CRASHED"] >= 1
        assert not {"RUNNING", "PENDING"} & states.keys()
    assert not list((disturbed / "workspace" / "tmp").iterdir())


def test_a_run_whose_training_processes_die_equals_one_whose_do_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    whole = finished(written(tmp_path_factory.mktemp("undisturbed")))
    home = written(tmp_path_factory.mktemp("bereaved"))
    # All may come to one fit, which is given up when its process died more often than the setting allows.
    patient = ("--set", f"execution.worker_deaths={N_DEATHS}")
    process = started(home, "--json", *patient, stdout=subprocess.PIPE)
    n_killed = 0
    while process.poll() is None and n_killed < N_DEATHS:
        kept = list((home / "workspace" / "checkpoints").rglob("*.npz"))
        if kept and (dying := fitting(process.pid)):
            dying.kill()
            n_killed += 1
            time.sleep(1)
        time.sleep(0.02)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, (home / "workspace" / "lslm.log").read_text()
    report = json.loads(said)
    assert n_killed >= 1
    for part in ("holdout", "cross_validation", "chosen"):
        assert report[part] == whole[part]
    assert set(rows(home / "workspace" / "optuna.db", "SELECT state FROM trials")) == {"COMPLETE"}
    assert not (home / "workspace" / "checkpoints" / "tiny").exists()


def finished(home: Path) -> dict[str, Any]:
    """The report of a run to its end."""
    done = lslm("run", "tiny.yaml", "--json", *ALONE, home=home)
    assert done.returncode == 0, done.stderr + (home / "workspace" / "lslm.log").read_text()
    return json.loads(done.stdout)


def killed_at(point: str, home: Path) -> None:
    """Run, and kill the command and all its processes when it has come that far."""
    process = started(home)
    end = time.monotonic() + 200
    while not reached(point, home):
        assert process.poll() is None, f"ended before it reached {point}"
        assert time.monotonic() < end, f"never reached {point}"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def started(
    home: Path, *options: str, stdout: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    """The command, in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "lslm", "run", "tiny.yaml", *ALONE, *options],
        cwd=home,
        env=environment(home),
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def reached(point: str, home: Path) -> bool:
    study = home / "workspace" / "optuna.db"
    if point == "search":
        return "RUNNING" in rows(study, "SELECT state FROM trials")
    if point == "trial":
        return "COMPLETE" in rows(study, "SELECT state FROM trials")
    return bool(results(home, {"fold": "fold", "fit": "cross-validate"}[point]))


def results(home: Path, stage: str) -> list[Path]:
    return list((home / "workspace" / "results").glob(f"{stage}-*"))


def rows(database: Path, query: str) -> list[str]:
    """The first column; nothing while the database is not there yet."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
            return [str(value) for (value,) in connection.execute(query)]
    except sqlite3.OperationalError:
        return []
