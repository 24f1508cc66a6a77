"""Trials are asked for, begun, told and made up for, whatever runs them."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from prefect import State
from prefect.states import Completed, Crashed, Failed

from lslm import progress
from lslm.search.judge import Ticket
from lslm.search.study import Study
from lslm.settings import ExecutionSettings, Hyperparameters, Settings
from lslm.tracking import runs
from tasks import runners, searching
from tasks.searching import Outcome
from tasks.stage import Run
from tests.search.test_study import study

Work = Callable[[Ticket, Hyperparameters], State[Any]]


class Future:
    """Ends after a random while, with the state that the work gives."""

    def __init__(self, work: Callable[[], State[Any]], seconds: float) -> None:
        self.work, self.state = work, Completed()
        self.timer = threading.Timer(seconds, self.end)
        self.heard: list[Callable[[Any], None]] = []

    def end(self) -> None:
        self.state = self.work()
        for hear in self.heard:
            hear(self)

    def add_done_callback(self, hear: Callable[[Any], None]) -> None:
        self.heard.append(hear)
        self.timer.start()

    def wait(self) -> None:
        pass


class Runner:
    """Stands where the Prefect task stands; notes what it was given, in order."""

    def __init__(self, work: Work, seed: int = 0) -> None:
        self.work, self.random = work, random.Random(seed)
        self.given: list[tuple[int, Hyperparameters]] = []
        self.n_running = self.most = 0

    def with_options(self, task_run_name: str) -> "Runner":
        return self

    def submit(self, run: Run, ticket: Ticket, chosen: Hyperparameters, *rest: Any) -> Future:
        self.given.append((ticket.number, chosen))
        self.n_running += 1
        self.most = max(self.most, self.n_running)

        def ended() -> State[Any]:
            self.n_running -= 1
            return self.work(ticket, chosen)

        # The first one takes its time: the second is begun beside it.
        return Future(ended, 1.5 if len(self.given) == 1 else self.random.random() / 50)


def complete(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
    value = chosen.training.learning_rate * chosen.encoder.units
    return Completed(data=Outcome(value=value, epochs=1, pruned=False, curve=(), seconds=0.1))


class Logged:
    def __init__(self) -> None:
        self.states: list[tuple[int, str]] = []

    def __call__(self, store: Any, run_id: str, study: str, record: Any) -> None:
        self.states.append((record.number, record.state))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Logged:
    log = Logged()
    monkeypatch.setattr(searching, "store_of", lambda run: None)
    monkeypatch.setattr(runs, "log_trial", log)
    monkeypatch.setattr(runners, "_width", 2)
    return log


def conducted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, work: Work, seed: int = 0, **settings: Any
) -> tuple[Study, Runner]:
    runner = Runner(work, seed)
    monkeypatch.setattr(searching, "trial", runner)
    opened = study(folder, **{"n_trials": 6, **settings})
    execution = ExecutionSettings(worker_deaths=1)
    run = Run(
        settings=Settings(name="toy", workspace=folder, execution=execution),
        base=folder,
        run_id="r",
    )
    with progress.bar("Trials") as shown, suppress(RuntimeError):
        searching.conduct(run, opened, (), "classify")
        assert shown is not None
    return opened, runner


def test_as_many_trials_run_as_there_is_room_for_and_each_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    opened, runner = conducted(tmp_path, monkeypatch, complete)
    assert runner.most == 2
    assert sorted(logged.states) == [(number, "complete") for number in range(6)]
    assert opened.n_left() == 0
    assert not opened.running


def test_a_failed_trial_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    def once(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        return Failed(data=RuntimeError("no")) if ticket.number == 1 else complete(ticket, chosen)

    opened, _ = conducted(tmp_path, monkeypatch, once)
    assert opened.chosen().n_complete == 6
    assert opened.chosen().n_failed == 1
    assert (1, "failed") in logged.states


def test_a_search_in_which_all_fails_ends_soon_with_the_first_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    opened, runner = conducted(
        tmp_path, monkeypatch, lambda *_: Failed(data=RuntimeError("no")), n_trials=100
    )
    assert 5 <= len(runner.given) <= 6
    assert opened.chosen().n_failed == len(runner.given)


def test_a_trial_whose_process_died_is_begun_again_with_its_parameters_as_often_as_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    died: list[int] = []

    def mortal(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        # One death is allowed: trial 2 has one, trial 3 two.
        if ticket.number in (2, 3) and died.count(ticket.number) < ticket.number - 1:
            died.append(ticket.number)
            return Crashed()
        return complete(ticket, chosen)

    opened, runner = conducted(tmp_path, monkeypatch, mortal)
    again = [chosen for number, chosen in runner.given if number == 2]
    assert len(again) == 2
    assert again[0] == again[1]
    assert (opened.chosen().n_complete, opened.chosen().n_failed) == (6, 1)


@pytest.mark.parametrize("sampler", ["tpe", pytest.param("random", marks=pytest.mark.slow)])
def test_in_waves_two_searches_draw_the_same_whoever_is_faster(
    sampler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    drawn = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        options = {"sampler": sampler, "in_waves": True, "n_trials": 11}
        opened, _ = conducted(folder, monkeypatch, complete, seed, **options)
        drawn.append([trial.params for trial in opened.study.trials])
    assert len(drawn[0]) == 11
    assert drawn[0] == drawn[1] == drawn[2]


def test_a_wave_that_was_cut_off_while_it_was_told_is_finished_before_the_next_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    drawn = []
    for name in ("whole", "cut"):
        folder = tmp_path / name
        folder.mkdir()
        if name == "cut":
            begun = study(folder, n_trials=9, in_waves=True)
            tickets = [begun.ask() for _ in range(2)]
            chosen = begun.hyperparameters(tickets[0])
            value = chosen.training.learning_rate * chosen.encoder.units
            begun.tell(tickets[0], value, 1)
        opened, runner = conducted(folder, monkeypatch, complete, in_waves=True, n_trials=9)
        drawn.append([trial.params for trial in opened.study.trials])
    assert runner.given[0][0] == 1
    assert drawn[0] == drawn[1]
