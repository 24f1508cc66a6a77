"""A bounded search, as a person runs it: what is registered keeps the bound, and the front is shown."""

import json
from pathlib import Path

import mlflow
import pytest

from tests.flows.tiny import lslm, written

pytestmark = pytest.mark.slow


def test_a_bounded_search_comes_to_a_model_within_the_bounds(tmp_path: Path) -> None:
    home = written(tmp_path)
    done = lslm(
        "run", "tiny.yaml", "--max-size", "20KB", "--max-latency", "1s", "--json", home=home
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    found = report["search"]
    chosen = next(each for each in found["trials"] if each["trial"] == found["front"][0])
    assert chosen["size_mb"] <= 0.02
    assert found["n_complete"] == 2

    client = mlflow.MlflowClient(f"sqlite:///{home / 'workspace' / 'mlflow.db'}")
    run = client.get_run(report["run_id"])
    assert "front.json" in run.data.tags["mlflow.loggedArtifacts"]
    children = [
        each
        for each in client.search_runs([run.info.experiment_id])
        if each.data.tags.get("mlflow.parentRunId") == report["run_id"]
    ]
    assert all(each.data.metrics["size_mb"] > 0 for each in children)
    assert all(each.data.metrics["latency_ms"] > 0 for each in children)

    size = next(rule for rule in report["decision"]["rules"] if rule["name"] == "is small enough")
    assert size["figures"] == "0.02 MB"

    small = lslm("run", "tiny.yaml", "--max-size", "1KB", home=home)
    assert small.returncode == 2
    assert "no trial of 10 is within size_mb of 0.001" in small.stderr
