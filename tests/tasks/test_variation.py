"""What the networks of folds and of their parts are fitted with, with fakes in the place of fits."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lslm.settings import EmbeddingSettings, HeadSettings, Hyperparameters, Settings
from lslm.workspace import Handle
from tasks import models, variation
from tasks.embeddings import Pretrained
from tasks.models import Which
from tasks.stage import Run
from tasks.variation import Variants, Varied

CHOSEN = Hyperparameters().replaced({"training.epochs": 6, "training.members": 3})
IN_TIME = {"corpus": {"time": "day"}, "evaluation": {"folds": 3}, "search": {"validation": 0.25}}


class World:
    """What was asked of the fakes."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.fitted: list[tuple[str, int, int, int, int]] = []
        """Of each fit its rows, epochs, members, seed, and the number of baselines beside it."""

    def prepare(self, run: Run, which: Which, *data: Any) -> Any:
        self.prepared.append(str(which))
        return SimpleNamespace(result=lambda: handle(str(which)))

    def fold(self, run: Run, which: Which, development: Any, part: Any, head: Any, *rest: Any):
        chosen, baselines = rest
        given = chosen.training
        told = (str(which), given.epochs, given.members, given.seed, len(baselines))
        self.fitted.append(told)
        return SimpleNamespace(result=lambda: handle(str(told)))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    for module in (models, variation):
        monkeypatch.setattr(module, "prepare_part", SimpleNamespace(submit=made.prepare))
        monkeypatch.setattr(module, "fold", SimpleNamespace(submit=made.fold))
    return made


def handle(name: str) -> Handle:
    return Handle(path=Path(name), digest=name, size=1)


def given(folder: Path, **sections: Any) -> tuple[Settings, Run, tuple[Any, ...]]:
    settings = Settings.model_validate({"name": "toy", "workspace": folder, **sections})
    run = Run(settings=settings, base=folder, run_id="")
    pretrained = Pretrained(vectors=None, language=None)
    data = (handle("development"), handle("tokens"), pretrained, EmbeddingSettings())
    return settings, run, (*data, settings.head)


def varied(folder: Path, **sections: Any) -> Varied:
    settings, run, data = given(folder, **sections)
    asked = Variants.of(settings.evaluation)
    return variation.vary.function(run, *data, settings.in_folds(CHOSEN), ("majority",), asked)


def test_in_time_each_fold_is_fitted_for_the_steps_of_a_trial(tmp_path: Path, world: World) -> None:
    settings, run, data = given(tmp_path, **IN_TIME)
    models.cross_validate.function(run, *data, settings.in_folds(CHOSEN), 3, 0, ("majority",))
    # A trial had three quarters of the documents; the folds have one, two and three quarters.
    assert [each[:2] for each in world.fitted] == [("fold 1", 18), ("fold 2", 9), ("fold 3", 6)]


def test_on_a_part_of_the_rows_a_network_takes_as_many_steps(tmp_path: Path, world: World) -> None:
    found = varied(tmp_path, evaluation={"curve": [0.5, 0.25], "seeds": 3})
    whole = [("fold 5", 6, 1, seed, int(seed == 0)) for seed in range(3)]
    parts = [("fold 5, 25%", 24, 1, 0, 1), ("fold 5, 50%", 12, 1, 0, 1)]
    assert world.fitted == [*parts, *whole]
    assert len(found.curve) == len(found.seeds) == 3


def test_variants_are_of_the_last_fold_and_its_epochs(tmp_path: Path, world: World) -> None:
    search = {"search": {"validation": 0.1}}
    varied(tmp_path, **{**IN_TIME, **search, "evaluation": {"folds": 3, "seeds": 1}})
    assert world.fitted[-1] == ("fold 3", 7, 1, 0, 1)


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_head_that_compares_on_one_vocabulary_has_no_curve(
    seeds: int, tmp_path: Path, world: World
) -> None:
    head = HeadSettings(kind="language-model")
    found = varied(tmp_path, head=head, evaluation={"seeds": seeds})
    assert world.prepared == ["fold 5"] * (seeds - 1)
    assert len(found.seeds) == (seeds if seeds > 1 else 0)
    assert len(found.curve) < 2
