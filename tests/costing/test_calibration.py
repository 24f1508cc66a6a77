"""A calibration of a real tiny pipeline finds every rate, and is not made twice."""

import time

import pytest

from lslm.costing import calibration
from lslm.costing.assumed import EXPECTED
from lslm.costing.stages import STAGES, Costs
from lslm.pipelines.loader import load
from lslm.workspace import Workspace
from tests.flows.tiny import written


@pytest.mark.slow
def test_a_calibration_is_made_once(tmp_path):
    pipeline = load(str(written(tmp_path) / "tiny.yaml"), [f"workspace={tmp_path / 'w'}"])
    home = Workspace(tmp_path / "w").create()
    found = calibration.rates(pipeline.settings, pipeline.base, home)
    assert found.parts["corpus"].documents == 150
    assert found.network.build > 0.1
    assert set(found.baselines) == {"majority", "tfidf-logistic-regression", "word-char-svc"}
    costs = Costs(pipeline.settings, found, EXPECTED)
    assert all(costs.of(stage).cpu >= 0 for stage in STAGES)
    began = time.perf_counter()
    assert calibration.rates(pipeline.settings, pipeline.base, home) == found
    assert time.perf_counter() - began < 5


@pytest.mark.slow
def test_other_documents_are_calibrated_anew(tmp_path, monkeypatch):
    pipeline = load(str(written(tmp_path) / "tiny.yaml"), [f"workspace={tmp_path / 'w'}"])
    home = Workspace(tmp_path / "w").create()
    monkeypatch.setattr(calibration, "_measured", lambda *_: pytest.fail("calibrated"))
    with pytest.raises(pytest.fail.Exception):
        calibration.rates(pipeline.settings, pipeline.base, home)
