"""`lslm plan --cost` shows a table or JSON, stage by stage and in all."""

import json

import pytest

from lslm.cli.app import app
from lslm.costing import estimate as costing
from lslm.costing.estimate import Estimate, StageEstimate


@pytest.fixture(autouse=True)
def estimated(monkeypatch):
    stages = (
        StageEstimate("clean", "done", 0, 0, 0, 0, "done"),
        StageEstimate("search", "run", 200, 100, 80, 130, "calibrated"),
        StageEstimate("fit", "unknown", 60, 40, 30, 50, "as it last ran here"),
    )
    monkeypatch.setattr(costing, "estimate", lambda *_: Estimate(stages, 2))


def said(tmp_path, capfd, *more):
    arguments = ["plan", "rotten-tomatoes", "--cost", "--workspace", str(tmp_path), *more]
    app(arguments, standalone_mode=False)
    return capfd.readouterr().out


def test_each_stage_has_a_line_and_the_sum_is_last(tmp_path, capfd):
    lines = said(tmp_path, capfd).splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == [
        "stage",
        "clean",
        "search",
        "fit",
        "in all",
    ]
    assert "2 min 20 s" in lines[-1]
    assert "1 min 50 s and 3 min 0 s" in lines[-1]
    assert "260" in lines[-1]
    assert "as it last ran here" in lines[3]


def test_json_has_the_same_numbers(tmp_path, capfd):
    told = json.loads(said(tmp_path, capfd, "--json"))
    assert told["seconds"] == 140
    assert told["processes"] == 2
    assert [stage["stage"] for stage in told["stages"]] == ["clean", "search", "fit"]
