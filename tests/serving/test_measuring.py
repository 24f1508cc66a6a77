"""What is measured before training is what the trained model comes to."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm.serving.assembly import assemble
from lslm.serving.measuring import measured
from lslm.serving.recipe import Recipe, Serving
from lslm.settings import (
    CleaningSettings,
    EmbeddingSettings,
    HeadSettings,
    Hyperparameters,
    TextSettings,
)
from lslm.text import store
from lslm.training.fitting import fit
from lslm.training.parts import prepare
from lslm.workspace import size


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """A toy corpus and its part; nothing is pretrained."""
    folder = tmp_path_factory.mktemp("recipe")
    texts = [f"a {'good' if i % 2 else 'bad'} film number {i}" for i in range(40)]
    labels = ["pos" if i % 2 else "neg" for i in range(40)]
    fingerprints = pl.Series(range(40), dtype=pl.UInt64)
    frame = pl.DataFrame({"text": texts, "label": labels, "fingerprint": fingerprints})
    frame.write_parquet(folder / "documents.parquet")
    store.write(folder / "documents.parquet", TextSettings(), folder / "tokens")
    part = prepare(
        folder / "documents.parquet",
        folder / "tokens",
        (np.arange(40), np.arange(0)),
        None,
        EmbeddingSettings(method="none", size=16, min_count=1),
        HeadSettings(),
        folder / "part",
    )
    serving = Serving(name="toy", text=TextSettings(), cleaning=CleaningSettings(), networks=False)
    return Recipe(part, folder / "documents.parquet", HeadSettings(), serving)


def chosen(**encoder: object) -> Hyperparameters:
    changes = {"encoder.units": 8, "training.epochs": 1, "training.members": 2}
    return Hyperparameters().replaced(changes | {f"encoder.{k}": v for k, v in encoder.items()})


@pytest.mark.slow
@pytest.mark.parametrize("stored", ["float32", "int8"])
def test_the_size_is_that_of_the_trained_model(stored: str, recipe: Recipe, tmp_path: Path) -> None:
    wanted = chosen(stored=stored, tuned_words=5)
    told = measured(tmp_path / "measured", recipe, wanted)
    members = [tmp_path / f"{seed}.keras" for seed in (0, 1)]
    for seed, path in enumerate(members):
        fit(recipe.part_folder, "classify", wanted, seed, stop_early=False, save=path)
    assemble(tmp_path / "model", members, recipe, wanted)
    assert told["size_mb"] == size(tmp_path / "model") / 1e6
    assert 0 < told["latency_ms"] < 1000


def test_fewer_words_and_networks_kept_change_the_size(recipe: Recipe, tmp_path: Path) -> None:
    small, large = (
        measured(tmp_path / str(words), recipe, chosen(max_words=words))["size_mb"]
        for words in (3, 30)
    )
    # 27 words more of 16 units, 4 bytes each, in both members: these vectors are trained.
    assert large - small == pytest.approx(27 * 16 * 4 * 2 / 1e6, rel=0.2)
