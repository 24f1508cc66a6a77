"""An estimate follows the plan: what is done costs nothing, what was recorded is believed."""

import pytest

from lslm.costing import calibration, estimate
from lslm.costing.assumed import EXPECTED
from lslm.costing.estimate import folds_seconds, search_seconds
from lslm.costing.stages import Costs
from lslm.planning import StagePlan
from lslm.workspace import Workspace
from tests.costing.made import RATES, settings


@pytest.fixture
def estimated(monkeypatch, tmp_path):
    def with_plan(records=None, **statuses):
        stages = [StagePlan(name, status, ()) for name, status in statuses.items()]
        monkeypatch.setattr(estimate.planning, "plan", lambda *_: stages)
        monkeypatch.setattr(estimate.calibration, "rates", lambda *_: RATES)
        monkeypatch.setattr(estimate, "recorded", lambda *_: records or {})
        return estimate.estimate(settings(), tmp_path, Workspace(tmp_path))

    return with_plan


def test_stages_that_are_done_cost_nothing(estimated):
    found = {each.stage: each for each in estimated(clean="done", fit="run").stages}
    assert found["clean"].seconds == found["clean"].high == 0
    assert found["fit"].seconds > 0


def test_a_run_with_nothing_to_do_is_not_calibrated(estimated, monkeypatch, tmp_path):
    estimated(clean="done")
    monkeypatch.setattr(calibration, "rates", lambda *_: pytest.fail("calibrated"))
    assert estimate.estimate(settings(), tmp_path, Workspace(tmp_path)).seconds == 0


def test_sums_are_those_of_the_stages(estimated):
    found = estimated(clean="run", search="unknown")
    told = found.as_json()
    assert told["seconds"] == pytest.approx(sum(each["seconds"] for each in told["stages"]))
    assert told["low"] <= told["seconds"] <= told["high"]


def test_a_record_takes_the_place_of_the_calibration(estimated):
    plain = estimated(clean="run").stages[1]
    found = estimated({"clean": plain.cpu_seconds * 2}, clean="run").stages[1]
    assert found.cpu_seconds == pytest.approx(plain.cpu_seconds * 2)
    assert found.seconds == pytest.approx(plain.seconds * 2)
    assert "last ran here" in found.how


@pytest.mark.parametrize("share", [0.1, 4.0])
def test_a_record_of_a_run_that_found_most_of_it_done_or_did_far_more_is_not_believed(
    estimated, share
):
    plain = estimated(clean="run").stages[1]
    assert estimated({"clean": plain.cpu_seconds * share}, clean="run").stages[1] == plain


def test_searches_and_folds_of_any_size_can_be_asked_for():
    views = [Costs(settings(search={"n_trials": 2}), RATES, EXPECTED)]
    (small,), (large,) = (search_seconds(views, n) for n in (100, 900))
    assert small.wall < large.wall
    assert views[0].of("search").cpu == pytest.approx(large.cpu)
    assert folds_seconds(views, 900) == [views[0].of("cross-validate")]


def test_what_does_not_grow_with_the_corpus_is_not_said_to_be_calibrated(estimated):
    found = {each.stage: each.how for each in estimated(clean="run", calibrate="unknown").stages}
    assert found["clean"] == "calibrated"
    assert found["start"] == found["calibrate"] == "by the speed of Python"


def test_the_budget_of_a_search_is_told():
    views = [Costs(settings(search={"n_trials": 2, "budget": 60}), RATES, EXPECTED)]
    assert "after 60 s" in estimate._stage("search", "run", views, None).how
