"""The stage that searches inside each fold, with fakes in the place of Prefect, of fits and of MLflow."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

from lslm import progress
from lslm.settings import (
    EvaluationSettings,
    HeadSettings,
    Hyperparameters,
    SearchSettings,
    Settings,
)
from lslm.tracking.runs import TrialRecord
from lslm.workspace import Handle, Workspace
from tasks import nesting, searching
from tasks.models import Which
from tasks.nesting import Nested, Nesting
from tasks.searching import Outcome
from tasks.stage import Run

BEST = {1: 4, 2: 8}
"""Units that do best, by outer fold."""


def handle(name: str) -> Handle:
    return Handle(path=Path(name), digest=name, size=1)


class Future:
    """A task run that is over."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.state = SimpleNamespace(
            is_crashed=lambda: False,
            is_completed=lambda: True,
            is_final=lambda: True,
            result=lambda: value,
        )

    def result(self) -> Any:
        return self.value

    def wait(self) -> None: ...

    def add_done_callback(self, heard: Callable[["Future"], None]) -> None:
        heard(self)


class World:
    """What was asked of the fakes."""

    def __init__(self) -> None:
        self.trials: list[str] = []
        self.logged: list[TrialRecord] = []
        self.fitted: list[tuple[str, int, tuple[str, ...]]] = []
        self.said: list[str] = []
        self.stopped_after: int | None = None

    # As the task `trial` is used.

    def with_options(self, task_run_name: str) -> "World":
        self.trials.append(task_run_name)
        return self

    def submit(
        self, run: Run, ticket: Any, chosen: Hyperparameters, parts: Any, kind: str, recipe: None
    ) -> Future:
        if len(self.trials) == self.stopped_after:
            raise KeyboardInterrupt
        (part,) = parts
        right = chosen.encoder.units == BEST[int(part.digest[len("fold ")])]
        return Future(
            Outcome(value=0.9 if right else 0.5, epochs=2, pruned=False, curve=(), seconds=1)
        )

    # As the stages are.

    def prepare(self, run: Run, which: Which, *data: Any) -> Future:
        return Future(handle(str(which)))

    def fold(self, run: Run, which: Which, development: Any, part: Any, head: Any, *rest: Any):
        chosen, baselines = rest
        self.fitted.append((part.digest, chosen.encoder.units, baselines))
        return Future(handle(f"answers of {which}"))

    # As a display is.

    def stage(self, name: str) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)

    def start(self, *of: Any) -> Any:
        return SimpleNamespace(reach=lambda done: None, note=lambda text: None)

    def stop(self, bar: Any) -> None: ...


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(searching, "trial", made)
    monkeypatch.setattr(searching, "store_of", lambda run: None)
    monkeypatch.setattr(
        searching.runs, "log_trial", lambda store, run, study, trial: made.logged.append(trial)
    )
    monkeypatch.setattr(nesting, "prepare_part", SimpleNamespace(submit=made.prepare))
    monkeypatch.setattr(nesting, "fold", SimpleNamespace(submit=made.fold))
    here = nesting.search_inside.function
    monkeypatch.setattr(nesting, "search_inside", SimpleNamespace(here=here))
    return made


def nested(folder: Path, world: World, **evaluation: Any) -> Nested:
    values = {"folds": 2, "nested": True, **evaluation}
    settings = Settings(
        name="toy", workspace=folder, evaluation=EvaluationSettings.model_validate(values)
    )
    Workspace(folder).create()
    run = Run(
        settings=settings, base=folder, run_id="r", study_url=f"sqlite:///{folder / 'optuna.db'}"
    )
    search = SearchSettings(
        n_trials=3, sampler="grid", space={"encoder.units": (2, 4, 8)}, warm_start=1
    )
    start = Hyperparameters().replaced({"encoder.units": 4})
    data = (handle("development"), handle("tokens"), None, settings.embedding, HeadSettings())
    with progress.shown_on(world):
        return nesting.nest.function(run, *data, start, search, Nesting.of(settings.evaluation))


def test_each_fold_is_answered_by_what_was_chosen_inside_it(tmp_path: Path, world: World) -> None:
    found = nested(tmp_path, world)
    assert world.fitted == [("fold 1", 4, ()), ("fold 2", 8, ())]
    assert [each.digest for each in found.answers] == ["answers of fold 1", "answers of fold 2"]
    assert [each.summary["value"] for each in found.found] == [0.9, 0.9]
    assert world.said[0].startswith("nested: 2 more searches")


def test_trials_tell_their_fold_and_no_search_hears_of_another_s(
    tmp_path: Path, world: World
) -> None:
    nested(tmp_path, world)
    assert world.trials == [f"fold {f}, trial {t} of 3" for f in (1, 2) for t in (1, 2, 3)]
    assert [each.fold for each in world.logged] == [1, 1, 1, 2, 2, 2]
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    studies = {
        each.user_attrs["pipeline"]: optuna.load_study(study_name=each.study_name, storage=url)
        for each in optuna.get_all_study_summaries(url)
    }
    assert studies.keys() == {"toy, fold 1", "toy, fold 2"}
    for each in studies.values():
        assert len(each.trials) == 3
        assert not any("taken_from" in trial.user_attrs for trial in each.trials)


def test_what_is_stopped_is_gone_on_with_and_nothing_is_tried_twice(
    tmp_path: Path, world: World
) -> None:
    world.stopped_after = 5
    with pytest.raises(KeyboardInterrupt):
        nested(tmp_path, world)
    world.stopped_after = None
    before = len(world.trials)
    nested(tmp_path, world)
    assert world.trials[before:] == [f"fold 2, trial {t} of 3" for t in (2, 3)]
    assert world.fitted == [("fold 1", 4, ()), ("fold 2", 8, ())]


def test_nothing_is_done_unless_it_is_asked_for(tmp_path: Path, world: World) -> None:
    assert nested(tmp_path, world, nested=False) == Nested(answers=(), found=())
    assert (world.trials, world.fitted, world.said) == ([], [], [])
