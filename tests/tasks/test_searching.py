"""Trials are asked for, begun, told and made up for, whatever runs them."""

import math
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from prefect import State
from prefect.states import Completed, Crashed, Failed, Running

from lslm import planning, stopping
from lslm.search.judge import Ticket
from lslm.search.study import Study
from lslm.settings import (
    ExecutionSettings,
    HeadSettings,
    Hyperparameters,
    SearchSettings,
    Settings,
)
from lslm.tracking import runs
from lslm.workspace import Handle
from tasks import runners, searching
from tasks.searching import Outcome
from tasks.stage import Run
from tests.search.test_study import SPACE, study

Work = Callable[[Ticket, Hyperparameters], "State[Any] | BaseException"]
"""An error is what waiting for the trial raises."""


class Future:
    """Ends after a random while, with the state that the work gives."""

    def __init__(self, work: Callable[[], Any], seconds: float) -> None:
        self.work = work
        self.state: Any = Completed()
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
        if isinstance(self.state, BaseException):
            raise self.state


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


def begun(
    folder: Path, monkeypatch: pytest.MonkeyPatch, work: Work, seed: int = 0, **settings: Any
) -> tuple[Study, Runner, Callable[[], None]]:
    """The study, what stands for the task, and the call that conducts it."""
    runner = Runner(work, seed)
    monkeypatch.setattr(searching, "trial", runner)
    opened = study(folder, **{"n_trials": 6, **settings})
    execution = ExecutionSettings(worker_deaths=1)
    run = Run(
        settings=Settings(name="toy", workspace=folder, execution=execution),
        base=folder,
        run_id="r",
    )

    def conduct() -> None:
        try:
            searching.conduct(run, opened, (), "classify")
        finally:
            assert not opened.running

    return opened, runner, conduct


def conducted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, work: Work, seed: int = 0, **settings: Any
) -> tuple[Study, Runner]:
    opened, runner, conduct = begun(folder, monkeypatch, work, seed, **settings)
    conduct()
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
    def fails(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        return Failed(data=RuntimeError("no"))

    opened, runner, conduct = begun(tmp_path, monkeypatch, fails, n_trials=100)
    with pytest.raises(RuntimeError, match="no"):
        conduct()
    assert 5 <= len(runner.given) <= 6
    assert opened.chosen().n_failed == len(runner.given)


def test_a_search_that_gives_up_is_no_finished_one_though_a_trial_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    def fails_later(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        if ticket.number in (0, 2):
            return complete(ticket, chosen)
        return Failed(data=RuntimeError(f"no {ticket.number}"))

    monkeypatch.setattr(runners, "_width", 1)
    opened, _, conduct = begun(tmp_path, monkeypatch, fails_later, n_trials=100)
    with pytest.raises(RuntimeError, match="no 3"):
        conduct()
    assert (opened.chosen().n_complete, opened.chosen().n_failed) == (2, 6)


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_trial_whose_value_is_no_number_failed(
    value: float,
    pruned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    logged: Logged,
) -> None:
    def diverges(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        if ticket.number != 1:
            return complete(ticket, chosen)
        return Completed(data=Outcome(value=value, epochs=1, pruned=pruned, seconds=0.1))

    opened, _ = conducted(tmp_path, monkeypatch, diverges, n_trials=3)
    assert (opened.chosen().n_complete, opened.chosen().n_failed) == (3, 1)
    assert (1, "failed") in logged.states


def test_a_search_in_which_no_value_is_a_number_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    def diverges(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        return Completed(data=Outcome(value=math.nan, epochs=1, seconds=0.1))

    _, _, conduct = begun(tmp_path, monkeypatch, diverges, n_trials=100)
    with pytest.raises(ValueError, match="came to nan"):
        conduct()


@pytest.mark.parametrize("in_waves", [False, True])
def test_a_search_that_the_machine_ends_waits_for_the_trials_that_run(
    in_waves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    def full(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        return Failed(data=OSError("full")) if ticket.number else complete(ticket, chosen)

    opened, runner, conduct = begun(tmp_path, monkeypatch, full, in_waves=in_waves)
    with pytest.raises(OSError, match="full"):
        conduct()
    assert runner.n_running == 0
    assert [trial.state.name for trial in opened.study.trials] == ["COMPLETE", "WAITING"]


def test_a_search_that_was_asked_to_stop_waits_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    def full(ticket: Ticket, chosen: Hyperparameters) -> State[Any]:
        if ticket.number:
            monkeypatch.setattr(stopping._stop, "asked", signal.SIGINT)
        return Failed(data=OSError("full"))

    opened, runner, conduct = begun(tmp_path, monkeypatch, full)
    with pytest.raises(stopping.Interrupted):
        conduct()
    assert runner.n_running == 1
    assert [trial.state.name for trial in opened.study.trials] == ["WAITING", "WAITING"]


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


@pytest.mark.parametrize("lost", [BrokenProcessPool("died"), Running()])
def test_a_trial_whose_process_took_its_state_with_it_is_begun_again(
    lost: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    died: list[int] = []

    def mortal(ticket: Ticket, chosen: Hyperparameters) -> Any:
        if ticket.number == 1 and not died:
            died.append(1)
            return lost
        return complete(ticket, chosen)

    opened, runner = conducted(tmp_path, monkeypatch, mortal)
    assert [number for number, _ in runner.given].count(1) == 2
    assert (opened.chosen().n_complete, opened.chosen().n_failed) == (6, 0)


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The name of the study that a search with these settings goes on with."""
    monkeypatch.setattr(searching, "conduct", lambda run, study, *rest: study.name)
    settings = Settings(name="toy", workspace=tmp_path)
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    run = Run(settings=settings, base=tmp_path, run_id="r", study_url=url)
    part = Handle(path=tmp_path, digest="0f", size=1)

    def name(**search: Any) -> str:
        given = SearchSettings.model_validate({"space": SPACE, **search})
        return searching.searched(run, (part,), HeadSettings(), Hyperparameters(), given)  # type: ignore[return-value]

    return name


@pytest.mark.parametrize(
    "search",
    [
        {"sampler": "random"},
        {"pruner": "none"},
        {"in_waves": True},
        {"warm_start": 1},
        {"seed": 1},
        {"max_size_mb": 2.0},
    ],
)
def test_another_search_is_not_answered_by_the_study_of_the_last(
    search: dict[str, Any], named: Callable[..., str]
) -> None:
    assert named(**search) != named()


def test_a_search_that_may_take_longer_goes_on_with_its_study(named: Callable[..., str]) -> None:
    assert named(n_trials=99, budget="9h", patience=9) == named()


@pytest.mark.parametrize(
    "module", ["lslm.training.fitting", "lslm.search.study", "lslm.training.optimizers"]
)
def test_a_search_of_another_version_has_a_study_of_its_own(
    module: str, named: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, digest = named(), planning._source_digest
    changed = {module: "changed"}
    monkeypatch.setattr(planning, "_source_digest", lambda name: changed.get(name) or digest(name))
    assert named() != before


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
