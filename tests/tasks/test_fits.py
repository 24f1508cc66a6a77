"""A fit whose process dies goes on in another one; one that is done is kept until what it is for is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lslm import planning
from lslm.evaluation.answers import Answers
from lslm.serving.recipe import Serving
from lslm.settings import ExecutionSettings, HeadSettings, Hyperparameters, Settings
from lslm.training import workers
from lslm.training.epochs import Epoch, Fit
from lslm.training.workers import WorkerDied
from lslm.workspace import Handle, Workspace
from tasks import models
from tasks.models import Which
from tasks.models import fitted as fit_one
from tasks.stage import Run

PART = Handle(path=Path("part"), digest="0f", size=1)


class Mortal:
    """Tells one epoch, keeps a checkpoint and dies, until it has died often enough."""

    def __init__(self, deaths: int) -> None:
        self.deaths, self.calls = deaths, list[dict[str, Any]]()

    def run(self, function: str, on_event: Any, **arguments: Any) -> Fit:
        self.calls.append(arguments)
        on_event(Epoch(1, {"loss": 1.0}, 0.1))
        state: Path = arguments["checkpoint"]
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_bytes(b"state")
        if len(self.calls) <= self.deaths:
            raise WorkerDied("killed")
        return Fit()


def fitted(folder: Path, monkeypatch: pytest.MonkeyPatch, deaths: int, allowed: int) -> Mortal:
    mortal = Mortal(deaths)
    monkeypatch.setattr(workers, "shared", lambda: mortal)
    settings = Settings(
        name="toy", workspace=folder, execution=ExecutionSettings(worker_deaths=allowed)
    )
    run = Run(settings=settings, base=folder, run_id="")
    fit_one(run, lambda epoch: True, PART, "classify", Hyperparameters(), 0)
    return mortal


def test_it_goes_on_with_the_same_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mortal = fitted(tmp_path, monkeypatch, deaths=2, allowed=2)
    assert len(mortal.calls) == 3
    assert mortal.calls[0] == mortal.calls[1] == mortal.calls[2]


def test_one_death_too_many_ends_it_and_keeps_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorkerDied):
        fitted(tmp_path, monkeypatch, deaths=2, allowed=1)
    assert len(list((tmp_path / "checkpoints" / "toy").glob("classify-*.npz"))) == 1


def test_fits_that_differ_have_checkpoints_that_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fitted(tmp_path, monkeypatch, deaths=0, allowed=0).calls[0]["checkpoint"]
    monkeypatch.setitem(globals(), "PART", PART.model_copy(update={"digest": "1e"}))
    assert fitted(tmp_path, monkeypatch, deaths=0, allowed=0).calls[0]["checkpoint"] != first


def test_a_fit_of_another_version_of_the_head_does_not_go_on_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fitted(tmp_path, monkeypatch, deaths=0, allowed=0).calls[0]["checkpoint"]
    changed, digest = {"lslm.heads._losses": "changed"}, planning._source_digest
    monkeypatch.setattr(planning, "_source_digest", lambda name: changed.get(name) or digest(name))
    assert fitted(tmp_path, monkeypatch, deaths=0, allowed=0).calls[0]["checkpoint"] != first


class Trainer:
    """Trains what has no checkpoint, until it is killed at its `killed_at`th call."""

    def __init__(self, killed_at: int = 0) -> None:
        self.killed_at, self.n_calls, self.n_trained = killed_at, 0, 0

    def run(self, function: str, on_event: Any = None, **arguments: Any) -> Fit:
        self.n_calls += 1
        if self.n_calls == self.killed_at:
            raise KeyboardInterrupt
        if state := arguments.get("checkpoint"):
            self.n_trained += not state.exists()
            state.parent.mkdir(parents=True, exist_ok=True)
            state.write_bytes(b"state")
            return Fit(outputs=np.zeros((2, 2)))
        arguments["folder"].mkdir()
        (arguments["folder"] / "model.json").write_text("{}")
        return Fit()


def trainer(monkeypatch: pytest.MonkeyPatch, killed_at: int = 0) -> Trainer:
    made = Trainer(killed_at)
    monkeypatch.setattr(workers, "shared", lambda: made)
    return made


def of_run(folder: Path) -> Run:
    return Run(settings=Settings(name="toy", workspace=folder), base=folder, run_id="")


def left(folder: Path) -> int:
    """Checkpoints."""
    return len(list((folder / "checkpoints").rglob("*.npz")))


def test_the_parts_of_a_trial_are_kept_until_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, chosen = of_run(tmp_path), Hyperparameters()
    parts = tuple(PART.model_copy(update={"digest": each}) for each in ("a", "b", "c"))

    def fits() -> int:
        each = trainer(monkeypatch)
        for part in parts:
            fit_one(run, lambda epoch: True, part, "classify", chosen, 0, stop_early=True)
        return each.n_trained

    assert (fits(), fits()) == (3, 0)
    assert left(tmp_path) == 3
    models.forget_trial(run, parts[:1], "classify", chosen)
    assert left(tmp_path) == 2
    models.forget_trial(run, parts, "classify", chosen)
    assert left(tmp_path) == 0


THREE = Hyperparameters().replaced({"training.members": 3})


def test_a_fold_that_was_cut_off_trains_no_member_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = SimpleNamespace(validation=SimpleNamespace(targets=np.zeros(2)), targets=None, report={})
    monkeypatch.setattr(models, "Part", lambda path: part)
    monkeypatch.setattr(models, "rows_of", lambda path, which: (np.arange(2), np.arange(2)))
    monkeypatch.setattr(models, "_groups", lambda documents: np.array([4, 4, 9]))
    kept: list[Answers] = []
    monkeypatch.setattr(models, "_kept", lambda run, given: kept.append(given) or PART)
    at_once = AtOnce(lambda run, arguments: models.fold.function(run, **arguments))
    monkeypatch.setattr(models.fold, "_in", lambda run, *which: at_once)

    def fold() -> None:
        given = (Which.for_fold(0, 2, 0), PART, PART, HeadSettings(), THREE, ())
        models.fold.submit(of_run(tmp_path), *given).result()

    trainer(monkeypatch, killed_at=3)
    with pytest.raises(KeyboardInterrupt):
        fold()
    assert left(tmp_path) == 2
    again = trainer(monkeypatch)
    fold()
    assert (again.n_calls, again.n_trained) == (3, 1)
    assert kept[-1].groups.tolist() == [4, 4]
    # It was killed before the answers were recorded; then they are.
    assert left(tmp_path) == 3
    monkeypatch.setattr(Workspace, "finished", lambda self, key: key.startswith("fold-"))
    last = trainer(monkeypatch)
    fold()
    assert (last.n_calls, last.n_trained) == (3, 0)
    assert left(tmp_path) == 0


class AtOnce:
    """A task that runs as soon as it is submitted."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def with_options(self, **_: Any) -> "AtOnce":
        return self

    def submit(self, *arguments: Any, **named: Any) -> Any:
        made = self.function(*arguments, **named)
        return SimpleNamespace(result=lambda: made)


def test_a_final_fit_that_was_cut_off_trains_no_member_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "prepare_part", AtOnce(lambda *_: PART))
    monkeypatch.setattr(models, "member", AtOnce(models.member.fn))

    def fit() -> None:
        run = of_run(tmp_path)
        given: Any = (PART, PART, None, run.settings.embedding, HeadSettings(), THREE)
        run.workspace.create()
        function: Any = models.fit.function
        function(run, *given, Serving.of(run.settings))

    # All three members are done: it is killed while the model is put together.
    trainer(monkeypatch, killed_at=4)
    with pytest.raises(KeyboardInterrupt):
        fit()
    assert left(tmp_path) == 3
    # Then it is killed when the model is whole, and not recorded yet.
    for _ in range(2):
        again = trainer(monkeypatch)
        fit()
        assert (again.n_calls, again.n_trained) == (4, 0)
    assert left(tmp_path) == 3
