"""A fit whose process dies goes on in another one, as often as the settings allow."""

from pathlib import Path
from typing import Any

import pytest

from lslm.settings import ExecutionSettings, Hyperparameters, Settings
from lslm.training import workers
from lslm.training.epochs import Epoch, Fit
from lslm.training.workers import WorkerDied
from lslm.workspace import Handle
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


def test_it_goes_on_with_the_same_parameters_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mortal = fitted(tmp_path, monkeypatch, deaths=2, allowed=2)
    assert len(mortal.calls) == 3
    assert mortal.calls[0] == mortal.calls[1] == mortal.calls[2]
    assert not list(tmp_path.rglob("*.npz"))


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
