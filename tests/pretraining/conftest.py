"""A toy corpus, which is its own outside text, and what was learned from it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lslm.embeddings import word2vec
from lslm.pretraining import learning, outside
from lslm.pretraining.recipe import Recipe, Shape
from lslm.settings import (
    EmbeddingSettings,
    EncoderSettings,
    HeadSettings,
    PretrainingSettings,
)
from lslm.text.store import Tokens
from lslm.training.parts import prepare
from tests.toy import written

EMBEDDING = EmbeddingSettings(size=8, min_count=1, epochs=1, adapt_epochs=1)
SETTINGS = PretrainingSettings(
    language_model=True, epochs=2, batch_size=8, window=6, sampled_words=0, learning_rate=0.02
)
ENCODER = EncoderSettings(units=6, spatial_dropout=0.0, tuned_words=5)
SHAPE = Shape.of(ENCODER)
N_WORDS = 1000


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences of one form; the last rows have a word of their own."""
    texts = [f"a {'good' if i % 2 else 'bad'} film, number {i % 5}" for i in range(60)]
    texts[50:] = [f"{text} canary" for text in texts[50:]]
    folder = written(tmp_path_factory.mktemp("toy"), texts)
    tokens = Tokens(folder / "tokens")
    found = word2vec.pretrain(tokens, np.arange(len(tokens)), EMBEDDING, workers=1)
    found.save(folder / "vectors")
    return folder


@pytest.fixture(scope="session")
def read(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Language models of both directions."""
    folder = tmp_path_factory.mktemp("read")
    vectors = toy / "vectors"
    losses = {
        direction: learning.of_outside(
            toy / "tokens",
            vectors,
            N_WORDS,
            SHAPE,
            direction,
            SETTINGS,
            folder / f"{direction}.npz",
        )
        for direction in SHAPE.directions
    }
    outside.save(folder, vectors, N_WORDS, losses)
    return folder


def made(toy: Path, into: Path, outside: Path | None, adapt_epochs: int = 1, **given: Any) -> Path:
    """A part of the first 50 rows, with what its documents or those of the outside text taught."""
    settings = SETTINGS.model_copy(update={"adapt_epochs": adapt_epochs})
    return prepare(
        toy / "documents.parquet",
        toy / "tokens",
        (np.arange(50), np.arange(50, 60)),
        toy / "vectors" if outside else None,
        EMBEDDING,
        HeadSettings(),
        into,
        Recipe(settings=settings, shape=SHAPE, outside=outside),
        **given,
    )


@pytest.fixture(scope="session")
def part(toy: Path, read: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part that went on from the outside text."""
    return made(toy, tmp_path_factory.mktemp("made") / "part", read)
