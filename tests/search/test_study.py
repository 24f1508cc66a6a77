import time
from pathlib import Path
from typing import Any

import optuna
import pytest

from lslm import heads, owners
from lslm.errors import InputError
from lslm.search import beating, storage
from lslm.search import space as spaces
from lslm.search.study import Study
from lslm.settings import Hyperparameters, Range, SearchSettings, SearchSpace

SPACE: SearchSpace = {
    "encoder.units": (8, 16),
    "training.learning_rate": Range(low=1e-4, high=1e-1, log=True),
}


def study(folder: Path, name: str = "toy", space: SearchSpace = SPACE, **settings: object) -> Study:
    return Study(
        name,
        f"sqlite:///{folder / 'optuna.db'}",
        heads.get("classify").goal,
        SearchSettings.model_validate({"n_trials": 3, **settings}),
        space,
        Hyperparameters().replaced({"encoder.units": 8}),
        "reviews",
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


def test_an_interrupted_trial_is_taken_up_again_with_its_number_and_parameters(
    tmp_path: Path,
) -> None:
    first = study(tmp_path)
    first.tell(first.ask(), 0.5, 1)
    lost = first.ask()
    tried = first.hyperparameters(lost)

    second = study(tmp_path)
    assert second.n_left() == 2
    again = second.ask()
    assert (again.number, second.hyperparameters(again)) == (lost.number, tried)
    assert len(second.study.trials) == 2


def test_a_trial_is_taken_up_again_also_where_the_budget_is_spent(tmp_path: Path) -> None:
    first = study(tmp_path, budget="1h")
    lost = first.ask()
    second = study(tmp_path, budget="1h")
    second.spent = 2 * 3600
    assert second.ask().number == lost.number
    assert second.ask() is None


WIDER: SearchSpace = {
    **SPACE,
    "encoder.spatial_dropout": Range(low=0.1, high=0.5, step=0.1),
    "training.weight_decay": Range(low=1e-5, high=1e-1, log=True),
}


def told(folder: Path, n_trials: int, **settings: object) -> Study:
    """A study after so many trials; those of a small rate did best."""
    opened = study(folder, space=WIDER, n_trials=20, **settings)
    for _ in range(n_trials):
        ticket = opened.ask()
        opened.tell(ticket, 1 - float(opened.parameters(ticket)["training.learning_rate"]), 1)
    return opened


@pytest.mark.parametrize("dies_at", ["training.learning_rate", "training.weight_decay"])
# After five trials parameters are drawn together, before that one by one.
@pytest.mark.parametrize("n_told", [1, 6, 11])
def test_a_process_that_dies_while_parameters_are_drawn_changes_none(
    n_told: int, dies_at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    whole = told(tmp_path / "whole", n_told)
    undisturbed = whole.parameters(whole.ask())
    first, draw = told(tmp_path, n_told), spaces.suggest

    def dies(trial: optuna.Trial, space: SearchSpace) -> dict[str, object]:
        if dies_at in space:
            raise KeyboardInterrupt
        return draw(trial, space)

    with monkeypatch.context() as patched:
        patched.setattr(spaces, "suggest", dies)
        with pytest.raises(KeyboardInterrupt):
            first.ask()
    again = study(tmp_path, space=WIDER, n_trials=20)
    ticket = again.ask()
    assert (ticket.number, again.parameters(ticket)) == (n_told, undisturbed)


def test_searches_of_neighbouring_seeds_draw_nothing_alike(tmp_path: Path) -> None:
    drawn: list[set[object]] = []
    for seed in (0, 1):
        (tmp_path / str(seed)).mkdir()
        opened = told(tmp_path / str(seed), 6, sampler="random", seed=seed)
        # The first is the settings as they stand.
        drawn.append({each.params["training.learning_rate"] for each in opened.study.trials[1:]})
    assert not drawn[0] & drawn[1]


def test_a_trial_that_is_given_back_waits_and_is_gone_on_with(tmp_path: Path) -> None:
    first = study(tmp_path)
    stopped = first.ask()
    tried = first.hyperparameters(stopped)
    first.give_back()
    states = [trial.state for trial in first.study.trials]
    assert states == [optuna.trial.TrialState.WAITING]

    second = study(tmp_path, budget="1s")
    second.spent = 2.0
    again = second.ask()
    assert (again.number, second.hyperparameters(again)) == (stopped.number, tried)
    second.tell(again, 0.5, 1)
    assert second.chosen().n_complete == 1


def test_a_trial_of_another_machine_is_taken_up_only_where_nothing_is_heard_of_it(
    tmp_path: Path,
) -> None:
    first = study(tmp_path)
    theirs = first.running[first.ask().number]
    theirs.set_user_attr("owner", {**owners.mine(), owners.HOST: "another"})
    assert study(tmp_path).ask().number == 1
    theirs.set_user_attr("alive", time.time() - beating.GRACE - 1)
    assert study(tmp_path).ask().number == 0


def elsewhere(opened: Study, number: int) -> optuna.Trial:
    """The trial, run by a machine that is alive."""
    trial = opened.running[number]
    trial.set_user_attr("owner", {**owners.mine(), owners.HOST: "another"})
    return trial


def test_what_another_machine_took_up_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = study(tmp_path)
    first.ask()
    second = study(tmp_path)
    look = second._abandoned

    def slowly(trial: Any) -> bool:
        found = look(trial)
        elsewhere(first, 0)
        return found

    monkeypatch.setattr(second, "_abandoned", slowly)
    assert second.ask().number == 1


def test_of_two_that_go_on_with_a_trial_that_waits_one_is_let(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = study(tmp_path)
    first.ask()
    first.give_back()
    second = study(tmp_path)
    store = storage.opened(second.url)
    mark, marked = store.set_trial_state_values, list[int]()

    def second_to_mark(trial: int, state: Any, values: Any = None) -> bool:
        marked.append(trial)
        return mark(trial, state, values) and (len(marked) > 1 or elsewhere_too(trial))

    def elsewhere_too(trial: int) -> bool:
        store.set_trial_user_attr(trial, "owner", {**owners.mine(), owners.HOST: "another"})
        return False

    monkeypatch.setattr(store, "set_trial_state_values", second_to_mark)
    assert second.ask().number == 1


def test_a_trial_of_nobody_is_taken_up_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = study(tmp_path)
    # Begun, and not signed yet.
    opened.study.ask()
    assert study(tmp_path).ask().number == 1
    monkeypatch.setattr(beating, "GRACE", -1)
    assert study(tmp_path).ask().number == 0


@pytest.mark.parametrize("n_told", [0, 1])
def test_a_process_that_dies_as_it_begins_a_trial_leaves_it_to_the_next(
    n_told: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = study(tmp_path)
    for _ in range(n_told):
        first.tell(first.ask(), 0.5, 1)
    sign = beating.sign

    def dies_once_it_runs(store: Any, trial: int) -> None:
        if store.get_trial(trial).state == optuna.trial.TrialState.RUNNING:
            raise KeyboardInterrupt
        sign(store, trial)

    with monkeypatch.context() as patched:
        patched.setattr(beating, "sign", dies_once_it_runs)
        with pytest.raises(KeyboardInterrupt):
            first.ask()
    again = study(tmp_path)
    assert again.ask().number == n_told
    assert len(again.study.trials) == n_told + 1


@pytest.mark.parametrize("how", ["tell", "prune", "fail", "pass_over", "give_back"])
def test_what_another_machine_told_is_left_as_it_is(how: str, tmp_path: Path) -> None:
    opened = study(tmp_path)
    ticket = opened.ask()
    study(tmp_path).study.tell(0, 0.9)
    if how == "tell":
        opened.tell(ticket, 0.5, 1)
    elif how == "pass_over":
        opened.pass_over(ticket, {"size_mb": 3.0})
    elif how == "give_back":
        opened.give_back()
    else:
        getattr(opened, how)(ticket)
    assert not opened.running
    assert [(t.state.name, t.value) for t in opened.study.trials] == [("COMPLETE", 0.9)]


def test_a_trial_that_another_machine_goes_on_with_is_not_given_back(tmp_path: Path) -> None:
    opened = study(tmp_path)
    opened.ask()
    elsewhere(opened, 0)
    opened.give_back()
    assert opened.study.trials[0].state == optuna.trial.TrialState.RUNNING


def test_no_more_trials_are_begun_than_are_left(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=2)
    tickets = [opened.ask() for _ in range(3)]
    assert [ticket is None for ticket in tickets] == [False, False, True]


def test_a_search_that_was_cut_off_draws_what_it_would_have_drawn(tmp_path: Path) -> None:
    def searched(folder: Path, cut_after: int | None) -> list[dict[str, object]]:
        opened = study(folder, n_trials=9)
        while ticket := opened.ask():
            if ticket.number == cut_after:
                opened, cut_after = study(folder, n_trials=9), None
                continue
            rate = opened.parameters(ticket)["training.learning_rate"]
            opened.tell(ticket, rate, 1)
        return [trial.params for trial in opened.study.trials]

    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    assert searched(tmp_path / "whole", None) == searched(tmp_path / "cut", 6)


def test_within_bounds_the_best_is_chosen_and_the_front_is_told(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=4, max_size_mb=2.0)
    for value, size in ((0.9, 3.0), (0.7, 1.0), (0.8, 1.5), (0.6, 1.2)):
        opened.tell(opened.ask(), value, 3, {"size_mb": size})
    chosen = opened.chosen()
    assert chosen.value == 0.8
    assert chosen.front == (2, 1)
    assert [row["trial"] for row in chosen.trials] == [2, 1, 3, 0]
    assert [row["state"] for row in chosen.trials] == ["complete"] * 3 + ["over"]


def test_of_equally_good_trials_the_smallest_is_chosen_so_that_it_is_on_the_front(
    tmp_path: Path,
) -> None:
    opened = study(tmp_path, n_trials=2, max_size_mb=2.0)
    for size in (1.5, 1.0):
        opened.tell(opened.ask(), 0.8, 3, {"size_mb": size})
    assert opened.chosen().front == (1,)
    assert opened.chosen().trials[0]["trial"] == 1


def test_a_trial_over_a_bound_is_passed_over_and_another_takes_its_place(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=1, max_size_mb=2.0)
    opened.pass_over(opened.ask(), {"size_mb": 3.0, "latency_ms": 0.5})
    assert opened.n_left() == 1
    opened.tell(opened.ask(), 0.8, 3, {"size_mb": 1.0, "latency_ms": 0.5})
    chosen = opened.chosen()
    assert (chosen.n_complete, chosen.n_over, chosen.n_pruned) == (1, 1, 0)
    assert chosen.trials[1]["latency_ms"] == 0.5


def test_a_search_where_every_trial_is_over_ends_and_is_refused(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=1, max_size_mb=2.0)
    n_asked = 0
    while ticket := opened.ask():
        n_asked += 1
        opened.pass_over(ticket, {"size_mb": 3.0})
    assert n_asked == 5
    with pytest.raises(InputError, match="no trial of 5 is within size_mb of 2"):
        opened.chosen()


def test_bounds_that_no_trial_keeps_are_refused_with_what_came_closest(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=2, max_size_mb=0.5, max_latency_ms=9.0)
    for size in (3.0, 1.0):
        opened.tell(opened.ask(), 0.9, 3, {"size_mb": size, "latency_ms": 1.0})
    with pytest.raises(InputError, match="size_mb of 0.5.*size_mb at least 1"):
        opened.chosen()


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


SMALL_GRID: SearchSpace = {"encoder.units": (8, 16), "encoder.layers": (2, 3)}


def test_a_grid_is_tried_point_by_point_and_ends_with_its_last(tmp_path: Path) -> None:
    # The settings as they stand, one layer, lie outside.
    opened = study(tmp_path, space=SMALL_GRID, sampler="grid", n_trials=20)
    assert opened.n_left() == 4
    tried = []
    while ticket := opened.ask():
        tried.append(tuple(opened.parameters(ticket).values()))
        opened.tell(ticket, 0.5, 1)
    assert sorted(tried) == [(8, 2), (8, 3), (16, 2), (16, 3)]
    assert opened.n_left() == 0


def test_points_of_a_grid_that_run_or_failed_are_not_tried_again(tmp_path: Path) -> None:
    opened = study(tmp_path, space=SMALL_GRID, sampler="grid", n_trials=20)
    tickets = [opened.ask() for _ in range(5)]
    assert [ticket is None for ticket in tickets] == [False] * 4 + [True]
    opened.fail(tickets[0])
    assert opened.ask() is None
    assert opened.n_left() == 3


def test_a_grid_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    first = study(tmp_path, space=SMALL_GRID, sampler="grid", n_trials=20)
    first.tell(first.ask(), 0.5, 1)
    lost = first.parameters(first.ask())
    again = study(tmp_path, space=SMALL_GRID, sampler="grid", n_trials=20)
    assert again.parameters(again.ask()) == lost
    assert len({tuple(again.parameters(again.ask()).values()) for _ in range(2)}) == 2
    assert again.ask() is None


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
            tried.add(opened.parameters(trial)["training.learning_rate"])
            opened.tell(trial, 0.5, 1)
    assert len(tried) == 8


def test_the_same_seed_draws_the_same_trials(tmp_path: Path) -> None:
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        opened = study(tmp_path / name, sampler="random")
        drawn.append([opened.parameters(opened.ask()) for _ in range(3)])
    assert drawn[0] == drawn[1]


def test_a_search_that_finds_nothing_better_ends(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=20, patience=3)
    for value in (0.5, 0.9, 0.6, 0.7):
        assert not opened.exhausted()
        opened.tell(opened.ask(), value, 1)
    opened.tell(opened.ask(), 0.8, 1)
    assert opened.exhausted()


def test_trials_that_were_not_trained_do_not_wear_patience_out(tmp_path: Path) -> None:
    opened = study(tmp_path, n_trials=20, patience=3, max_size_mb=2.0)
    opened.tell(opened.ask(), 0.9, 1, {"size_mb": 1.0})
    for _ in range(4):
        opened.pass_over(opened.ask(), {"size_mb": 3.0})
    assert not opened.exhausted()
    for _ in range(3):
        opened.tell(opened.ask(), 0.5, 1, {"size_mb": 1.0})
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
        tried[value] = before.parameters(trial)
        before.tell(trial, value, 1)
    today = study(tmp_path, "today", warm_start=2)
    assert [today.parameters(today.ask()) for _ in range(3)] == [tried[0.2], tried[0.9], tried[0.6]]


def test_a_cold_start_looks_at_no_other_study(tmp_path: Path) -> None:
    before = study(tmp_path, "yesterday")
    for value in (0.2, 0.9):
        before.tell(before.ask(), value, 1)
    today = study(tmp_path, "today")
    today.ask()
    assert not today.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,))
