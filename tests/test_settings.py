"""Settings that follow from others."""

import pytest
from pydantic import ValidationError

from lslm.settings import Hyperparameters, Settings


def settings(outer: int, **search: float) -> Settings:
    return Settings.model_validate(
        {"name": "toy", "evaluation": {"folds": outer}, "search": {"n_trials": 6, **search}}
    )


def epochs(given: Settings, chosen: int) -> int:
    return given.in_folds(Hyperparameters().replaced({"training.epochs": chosen})).training.epochs


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
    assert epochs(settings(outer, **search), 5) == expected


def test_nothing_else_is_changed_for_folds():
    chosen = Hyperparameters().replaced({"encoder.units": 7, "training.seed": 3})
    changed = settings(2).in_folds(chosen)
    assert changed.replaced({"training.epochs": chosen.training.epochs}) == chosen


@pytest.mark.parametrize("bound", ["max_size_mb", "max_latency_ms"])
def test_a_baseline_that_no_bound_holds_is_not_put_forward(bound: str) -> None:
    given = {"name": "toy", "search": {bound: 2}, "registry": {"candidate": "best"}}
    with pytest.raises(ValidationError, match="go with candidate: network"):
        Settings.model_validate(given)
    assert Settings.model_validate({**given, "registry": {"candidate": "network"}})
