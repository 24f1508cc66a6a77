"""A trial is stopped where it is worse than the others were at the same step."""

from pathlib import Path

import pytest

from lslm.search.judge import Judge
from lslm.search.study import Study
from lslm.settings import Settings
from tests.search.test_study import study

GOOD, BAD = (0.6, 0.7, 0.8, 0.9), (0.1, 0.1, 0.1, 0.1)


def told(opened: Study, values: tuple[float, ...]) -> int:
    """Steps that a trial with these values is let go."""
    ticket = opened.ask()
    judge = Judge(ticket)
    for step, value in enumerate(values, start=1):
        if not judge.hear(value, step):
            opened.prune(ticket)
            return step
    opened.tell(ticket, max(values), len(values))
    return len(values)


def test_worse_than_the_median_at_the_same_epoch_is_stopped(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=9)
    assert [told(opened, GOOD) for _ in range(4)] == [4, 4, 4, 4]
    assert told(opened, BAD) == 2
    assert opened.chosen().n_pruned == 1


def test_worse_than_the_best_part_by_part_is_stopped(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=9, pruner="wilcoxon", folds=8)
    parts = tuple(0.8 + 0.01 * number for number in range(8))
    assert told(opened, parts) == 8
    assert told(opened, tuple(value - 0.2 for value in parts)) < 8
    assert told(opened, tuple(value + 0.001 for value in parts)) == 8


def test_of_many_trials_the_best_go_on_with_more_epochs(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=40, pruner="hyperband")
    steps = [told(opened, tuple((n % 10) / 10 for _ in range(12))) for n in range(30)]
    assert min(steps) < 4
    assert max(steps) == 12


def test_nothing_is_stopped_where_the_pruner_is_none(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=9, pruner="none")
    assert {told(opened, values) for values in (GOOD, GOOD, GOOD, GOOD, BAD)} == {4}


def test_a_trial_that_is_gone_on_with_tells_its_steps_again_without_harm(tmp_path: Path) -> None:
    opened = study(tmp_path)
    ticket = opened.ask()
    for _ in range(2):
        judge = Judge(ticket)
        assert all(judge.hear(value, step) for step, value in enumerate(GOOD, start=1))
    opened.tell(ticket, 0.9, 4)
    assert list(opened.study.trials[0].intermediate_values.values()) == list(GOOD)


@pytest.mark.parametrize(
    ("settings", "right"),
    [
        ({"pruner": "wilcoxon"}, "folds of 3 or more"),
        ({"pruner": "hyperband", "folds": 3}, "folds: 1"),
        ({"pruner": "hyperband", "in_waves": True}, "in_waves needs median, wilcoxon or none"),
    ],
)
def test_a_pruner_that_does_not_fit_is_refused(
    tmp_path: Path, settings: dict[str, object], right: str
) -> None:
    with pytest.raises(ValueError, match=right):
        study(tmp_path, **settings)


def test_hyperband_that_hears_trials_beside_each_other_is_not_deterministic() -> None:
    asked = {"name": "toy", "search": {"pruner": "hyperband"}}
    assert Settings.model_validate(asked).search.pruner == "hyperband"
    with pytest.raises(ValueError, match="deterministic: search.pruner has to be median"):
        Settings.model_validate({**asked, "deterministic": True})
