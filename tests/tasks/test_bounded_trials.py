"""A trial of a bounded search is measured first, and trained only where its model is within the bounds."""

from pathlib import Path
from typing import Any

import pytest

from lslm import heads
from lslm.search.study import Study
from lslm.serving.recipe import Recipe, Serving
from lslm.settings import HeadSettings, Hyperparameters, SearchSettings, Settings
from lslm.training import workers
from lslm.training.epochs import Epoch, Fit
from lslm.workspace import Handle
from tasks.searching import Outcome, trial
from tasks.stage import Run

PART = Handle(path=Path("part"), digest="0f", size=1)


class Stub:
    """Measures what it is told to, and notes what is asked of it."""

    def __init__(self, size_mb: float) -> None:
        self.size_mb, self.asked = size_mb, list[str]()

    def run(self, function: str, on_event: Any = None, **arguments: Any) -> Any:
        self.asked.append(function.partition(":")[2])
        if function.endswith(":measured"):
            assert arguments["recipe"].part_folder == Path("whole")
            return {"size_mb": self.size_mb, "latency_ms": 0.5}
        epoch = Epoch(1, {"loss": 0.1, "accuracy": 0.8}, 0.1)
        on_event(epoch)
        return Fit(epochs=[epoch])


def tried(folder: Path, monkeypatch: pytest.MonkeyPatch, size_mb: float) -> tuple[Stub, Outcome]:
    stub = Stub(size_mb)
    monkeypatch.setattr(workers, "shared", lambda: stub)
    search = SearchSettings(n_trials=1, max_size_mb=2.0)
    settings = Settings(name="toy", workspace=folder, search=search)
    goal, start = heads.get("classify").goal, Hyperparameters()
    space = {"encoder.units": (8,)}
    study = Study("toy", f"sqlite:///{folder / 'optuna.db'}", goal, search, space, start)
    ticket = study.ask()
    assert ticket is not None
    run = Run(settings=settings, base=folder, run_id="")
    recipe = Recipe(Path("whole"), Path("documents"), HeadSettings(), Serving.of(settings))
    chosen = study.hyperparameters(ticket)
    return stub, trial.fn(run, ticket, chosen, (PART,), "classify", recipe)


def test_a_model_over_the_bound_is_not_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub, outcome = tried(tmp_path, monkeypatch, size_mb=2.1)
    assert stub.asked == ["measured"]
    assert (outcome.state, outcome.value) == ("over", None)
    assert outcome.measured == {"size_mb": 2.1, "latency_ms": 0.5}


def test_a_model_within_it_is_trained_and_keeps_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub, outcome = tried(tmp_path, monkeypatch, size_mb=2.0)
    assert stub.asked == ["measured", "fit"]
    assert (outcome.state, outcome.value) == ("complete", 0.8)
    assert outcome.measured["size_mb"] == 2.0
