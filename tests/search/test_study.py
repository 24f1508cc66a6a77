from pathlib import Path

import optuna
import pytest

from lslm import heads
from lslm.search import space as spaces
from lslm.search.study import Study
from lslm.settings import Hyperparameters, Range, SearchSettings, SearchSpace

SPACE: SearchSpace = {
    "encoder.units": (8, 16),
    "training.learning_rate": Range(low=1e-4, high=1e-1, log=True),
}


def study(folder: Path, name: str = "toy", at_once: int = 1, **settings: object) -> Study:
    return Study(
        name,
        f"sqlite:///{folder / 'optuna.db'}",
        heads.get("classify").goal,
        SearchSettings.model_validate({"n_trials": 3, **settings}),
        SPACE,
        Hyperparameters().replaced({"encoder.units": 8}),
        "reviews",
        at_once,
    )


def test_the_settings_as_they_stand_are_tried_first(tmp_path: Path) -> None:
    opened = study(tmp_path)
    tried = opened.hyperparameters(opened.ask())
    assert (tried.encoder.units, tried.training.learning_rate) == (8, 1e-3)


def test_the_best_trial_is_chosen_with_its_epochs(tmp_path: Path) -> None:
    opened = study(tmp_path)
    for value, epochs in ((0.5, 9), (0.9, 4), (0.6, 7)):
        trial = opened.ask()
        opened.hyperparameters(trial)
        opened.tell(trial, value, epochs)
    assert opened.n_left() == 0
    assert opened.chosen().value == 0.9
    assert opened.chosen().hyperparameters.training.epochs == 4


def test_an_interrupted_trial_is_tried_again_with_the_same_parameters(tmp_path: Path) -> None:
    first = study(tmp_path)
    first.tell(first.ask(), 0.5, 1)
    lost = first.ask()
    tried = first.hyperparameters(lost)

    second = study(tmp_path)
    assert second.n_left() == 2
    assert second.hyperparameters(second.ask()) == tried


def test_failed_trials_do_not_count_as_finished(tmp_path: Path) -> None:
    opened = study(tmp_path)
    opened.fail(opened.ask())
    assert opened.n_left() == 3
    assert opened.chosen().n_failed == 1


def test_a_spent_budget_is_remembered(tmp_path: Path) -> None:
    first = study(tmp_path, budget="1s")
    trial = first.ask()
    first.spent = 2.0
    first.tell(trial, 0.5, 1)
    assert study(tmp_path, budget="1s").exhausted()
    assert not study(tmp_path, budget="1h").exhausted()


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_every_sampler_stays_inside_the_space(sampler: str, tmp_path: Path) -> None:
    opened = study(tmp_path, sampler=sampler)
    for _ in range(3):
        trial = opened.ask()
        tried = opened.hyperparameters(trial)
        assert tried.encoder.units in (8, 16)
        assert 1e-4 <= tried.training.learning_rate <= 1e-1
        opened.tell(trial, 0.5, 1)


def test_the_default_space_fits_the_settings() -> None:
    space = spaces.of(heads.get("classify"), None)
    trial = optuna.create_study().ask()
    Hyperparameters().replaced(spaces.suggest(trial, space))


def test_a_study_that_is_gone_on_with_does_not_draw_its_beginning_again(tmp_path: Path) -> None:
    tried = set()
    for _ in range(4):
        opened = study(tmp_path, sampler="random", n_trials=8)
        for _ in range(2):
            trial = opened.ask()
            tried.add(trial.params["training.learning_rate"])
            opened.tell(trial, 0.5, 1)
    assert len(tried) == 8


def test_the_same_seed_draws_the_same_trials(tmp_path: Path) -> None:
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        opened = study(tmp_path / name, sampler="random")
        drawn.append([opened.ask().params for _ in range(3)])
    assert drawn[0] == drawn[1]


def test_a_search_that_finds_nothing_better_ends(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=20, patience=3)
    for value in (0.5, 0.9, 0.6, 0.7):
        assert not opened.exhausted()
        opened.tell(opened.ask(), value, 1)
    opened.tell(opened.ask(), 0.8, 1)
    assert opened.exhausted()


def test_a_better_value_gives_the_search_new_patience(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=20, patience=3)
    for value in (0.5, 0.1, 0.1, 0.9, 0.1, 0.1):
        opened.tell(opened.ask(), value, 1)
    assert not opened.exhausted()


def test_a_warm_start_tries_the_best_of_the_last_study_after_the_settings(tmp_path: Path) -> None:
    before = study(tmp_path, "yesterday", n_trials=4)
    tried = {}
    for value in (0.2, 0.9, 0.6, 0.4):
        trial = before.ask()
        tried[value] = dict(trial.params)
        before.tell(trial, value, 1)
    today = study(tmp_path, "today", warm_start=2)
    first = today.ask()
    assert first.params == tried[0.2]
    assert [today.ask().params for _ in range(2)] == [tried[0.9], tried[0.6]]


def test_a_cold_start_looks_at_no_other_study(tmp_path: Path) -> None:
    before = study(tmp_path, "yesterday")
    for value in (0.2, 0.9):
        before.tell(before.ask(), value, 1)
    today = study(tmp_path, "today")
    today.ask()
    assert not today.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,))
