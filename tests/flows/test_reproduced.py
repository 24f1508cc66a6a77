"""A deterministic run is made again, bit by bit; where the data changed, that is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flows.tiny import lslm


@pytest.mark.slow
def test_running_again_gives_the_same_bits(home: Path, report: dict[str, Any]) -> None:
    done = lslm("reproduce", "tiny", "--json", home=home)
    assert done.returncode == 0, done.stderr + done.stdout
    steps = json.loads(done.stdout)["steps"]
    assert {"read", "clean", "search", "cross-validate", "fit", "evaluate"} <= {
        step["stage"] for step in steps
    }
    assert all(step["recorded"] == step["again"] for step in steps)
    # The new run left nothing behind, and registered nothing.
    assert not list((home / "workspace" / "tmp").iterdir())
    listed = lslm("models", "tiny", "--json", home=home)
    assert len(json.loads(listed.stdout)) == 1


def test_changed_data_is_the_first_thing_that_differs(home: Path, report: dict[str, Any]) -> None:
    films = home / "films.csv"
    before = films.read_bytes()
    films.write_bytes(before.replace(b"number 5,", b"number five,"))
    try:
        done = lslm("reproduce", report["run_id"], home=home)
    finally:
        films.write_bytes(before)
    assert done.returncode == 1
    assert "differs first: read films.csv; the input is another, nothing was run" in done.stdout


def test_the_report_tells_costs_and_digests(report: dict[str, Any]) -> None:
    stages = {cost["stage"]: cost for cost in report["costs"]["stages"]}
    assert stages["fit"]["cpu_seconds"] > 0
    assert stages["fit"]["peak_mb"] > 100
    assert not stages["fit"]["earlier"]
    assert set(report["provenance"]["sources"]) == {"films.csv"}
    assert report["provenance"]["environment"]["packages"]["keras"]


def test_a_run_is_audited_by_its_id(home: Path, report: dict[str, Any]) -> None:
    done = lslm("audit", "leakage", report["run_id"], "--only", "records", home=home)
    assert done.returncode == 0, done.stderr + done.stdout
    assert " 0 leaks, 0 unproven" in done.stdout


def test_settings_of_a_run_cannot_be_changed_for_an_audit(home: Path) -> None:
    done = lslm("audit", "leakage", "0" * 32, "--set", "encoder.units=4", home=home)
    assert done.returncode == 2
    assert "a run's settings are what they were" in done.stderr


def test_the_learning_curve_ends_with_all_documents_of_a_fold(report: dict[str, Any]) -> None:
    varied = report["variation"]
    whole = varied["curve"][-1]
    assert [point["n_training"] for point in varied["curve"]] == [15, 30, 60]
    # The curve's last network is the fold's own, since only one network is averaged there.
    fold = report["cross_validation"]["folds"][-1]["network"]["accuracy"]
    assert whole["systems"]["network"]["value"] == varied["seeds"]["values"][0] == fold
    assert len(varied["seeds"]["values"]) == 3
