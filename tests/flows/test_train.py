"""One real tiny pipeline, as a person runs it, and what is then in MLflow, Optuna and Prefect."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.flows.tiny import lslm, written


def runs_of(client: Any) -> list[Any]:
    experiment = client.get_experiment_by_name("tiny")
    return client.search_runs([experiment.experiment_id])


def test_the_holdout_score_is_on_the_run_a_person_sees(client: Any, report: dict[str, Any]) -> None:
    run = client.get_run(report["run_id"])
    score = report["holdout"]["systems"]["network"]["accuracy"]
    assert run.info.status == "FINISHED"
    assert run.data.metrics["holdout/accuracy"] == score["value"]
    assert score["n"] == report["corpus"]["split"]["holdout"]["documents"] > 0
    assert "encoder.units" in run.data.params


def test_trials_are_children_with_learning_curves(client: Any, report: dict[str, Any]) -> None:
    children = [run for run in runs_of(client) if "mlflow.parentRunId" in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {report["run_id"]}
    assert len(children) == 2
    for child in children:
        assert [point.step for point in client.get_metric_history(child.info.run_id, "loss")] == [
            1,
            2,
        ]


def test_nothing_is_left_running(client: Any, home: Path) -> None:
    assert {run.info.status for run in runs_of(client)} == {"FINISHED"}
    with sqlite3.connect(home / "workspace" / "optuna.db") as study:
        states = {state for (state,) in study.execute("SELECT state FROM trials")}
    assert states <= {"COMPLETE", "PRUNED"}


def test_every_baseline_stands_beside_the_network(report: dict[str, Any]) -> None:
    expected = {"network", "majority", "tfidf-logistic-regression", "word-char-svc"}
    assert set(report["holdout"]["systems"]) == expected
    assert set(report["cross_validation"]["systems"]) == expected
    assert len(report["cross_validation"]["folds"]) == 2


def test_the_version_is_registered_and_the_gate_s_decision_told(
    client: Any, report: dict[str, Any]
) -> None:
    model = client.get_registered_model("tiny")
    assert str(model.aliases["challenger"]) == report["version"]
    assert ("champion" in model.aliases) == report["decision"]["promoted"]
    assert report["decision"]["reason"]


def test_the_model_answers(home: Path, report: dict[str, Any]) -> None:
    done = lslm("predict", "a good film", "--model", "tiny@challenger", "--json", home=home)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["label"] in {"pos", "neg"}
    assert 0.5 <= answer["probability"] <= 1.0


def test_a_second_run_does_nothing_again(client: Any, home: Path, report: dict[str, Any]) -> None:
    before = {run.info.run_id for run in runs_of(client)}
    again = lslm("run", "tiny.yaml", "--json", home=home)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == report
    assert {run.info.run_id for run in runs_of(client)} == before


def test_the_plan_names_what_changed(home: Path, report: dict[str, Any]) -> None:
    done = lslm("plan", "tiny.yaml", "--set", "encoder.units=4", "--json", home=home)
    stages = {stage["stage"]: stage for stage in json.loads(done.stdout)}
    assert stages["clean"]["status"] == "done"
    assert stages["search"]["status"] == "run"
    assert stages["search"]["changed"] == ["start.encoder.units"]
    assert stages["register"]["status"] == "unknown"


@pytest.mark.slow
def test_settings_that_were_run_before_show_their_own_report(tmp_path: Path) -> None:
    written(tmp_path)
    others = (("registry.intended_use=another",), (f"tracking.uri=sqlite:///{tmp_path}/team.db",))
    found = []
    for changes in ((), *others, (), *others):
        given = [part for change in changes for part in ("--set", change)]
        done = lslm("run", "tiny.yaml", *given, "--json", home=tmp_path)
        assert done.returncode == 0, done.stderr
        assert ("nothing changed" in done.stderr) == (len(found) >= 3)
        found.append(json.loads(done.stdout))
    assert found[3:] == found[:3]
    # Another store gets a model of its own; what is done is not done again for it.
    assert [each["version"] for each in found[:3]] == ["1", "2", "1"]
    assert found[2]["holdout"] == found[0]["holdout"]


@pytest.mark.slow
def test_a_better_baseline_can_be_registered_and_answers(home: Path, report: Any) -> None:
    # The deciding words of the tiny corpus are plain to a bag of words.
    changes = ("registry.candidate=best", "name=tiny-best", "evaluation.curve=[]")
    best = [part for change in (*changes, "evaluation.seeds=1") for part in ("--set", change)]
    done = lslm("run", "tiny.yaml", *best, "--json", home=home)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["system"] == "tfidf-logistic-regression"
    shown = lslm("predict", "a good film", "--model", "tiny-best@challenger", "--json", home=home)
    assert json.loads(shown.stdout)["label"] == "pos"
    score = found["holdout"]["systems"][found["system"]]["accuracy"]["value"]
    listed = json.loads(lslm("models", "tiny-best", "--json", home=home).stdout)
    assert listed[0]["score"].startswith(f"accuracy {score:.4f}")
    rules = [rule["name"] for rule in found["decision"]["rules"]]
    assert rules[0] == "tfidf-logistic-regression beats every other system"
