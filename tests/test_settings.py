"""Settings that follow from others."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from lslm.settings import Hyperparameters, Settings


def settings(outer: int, **search: float) -> Settings:
    return Settings.model_validate(
        {"name": "toy", "evaluation": {"folds": outer}, "search": {"n_trials": 6, **search}}
    )


def epochs(given: Settings, chosen: int) -> list[int]:
    in_folds = given.in_folds(Hyperparameters().replaced({"training.epochs": chosen}))
    return [each.training.epochs for each in in_folds]


@pytest.mark.parametrize(
    ("outer", "search", "expected"),
    [
        # 80 % of the documents in 5 epochs are as many steps as 50 % of them in 8.
        (2, {"validation": 0.2}, 8),
        (2, {"folds": 5}, 8),
        (5, {"validation": 0.2}, 5),
        # A fold that is larger than what a trial had keeps the epochs.
        (10, {"validation": 0.3}, 5),
        (2, {"validation": 0.2, "n_trials": 0}, 5),
    ],
)
def test_a_fold_takes_at_least_the_steps_of_the_trial_that_was_chosen(outer, search, expected):
    assert epochs(settings(outer, **search), 5) == [expected] * outer


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        # 80 % of the documents in 5 epochs are as many steps as 20 % of them in 20.
        ({"validation": 0.2}, [20, 10, 7, 5]),
        # In time each part of a search has other documents too: half of them in the middle.
        ({"folds": 3}, [12, 6, 5, 5]),
        ({"validation": 0.2, "n_trials": 0}, [5, 5, 5, 5]),
    ],
)
def test_in_time_each_fold_goes_by_the_documents_that_lie_before_it(search, expected):
    in_time = {"corpus": {"time": "day"}, "evaluation": {"folds": 4}, "search": {"n_trials": 6}}
    in_time["search"] |= search
    assert epochs(Settings.model_validate({"name": "toy", **in_time}), 5) == expected


def test_nothing_else_is_changed_for_folds():
    chosen = Hyperparameters().replaced({"encoder.units": 7, "training.seed": 3})
    for changed in settings(2).in_folds(chosen):
        assert changed.replaced({"training.epochs": chosen.training.epochs}) == chosen


@pytest.mark.parametrize("bound", ["max_size_mb", "max_latency_ms"])
def test_a_baseline_that_no_bound_holds_is_not_put_forward(bound: str) -> None:
    given = {"name": "toy", "search": {bound: 2}, "registry": {"candidate": "best"}}
    with pytest.raises(ValidationError, match="go with candidate: network"):
        Settings.model_validate(given)
    assert Settings.model_validate({**given, "registry": {"candidate": "network"}})


@pytest.mark.parametrize("seed", [-1, 2**31])
@pytest.mark.parametrize(
    "section", ["split", "embedding", "pretraining", "training", "search", "evaluation"]
)
def test_a_seed_that_a_library_would_refuse_after_hours_is_refused_at_once(section, seed):
    with pytest.raises(ValidationError, match=r"\.seed"):
        Settings.model_validate({"name": "toy", section: {"seed": seed}})


def test_a_workspace_is_never_the_current_folder_by_accident(monkeypatch):
    monkeypatch.setenv("LSLM_WORKSPACE", "")
    assert Settings(name="toy").workspace == Path(".lslm")
    assert Settings(name="toy", workspace=Path("~/kept")).workspace == Path.home() / "kept"
