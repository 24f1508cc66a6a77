"""Small networks and a model folder to test with."""

from pathlib import Path

import keras
import numpy as np

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.serving.model_files import save
from lslm.settings import (
    CleaningSettings,
    EncoderSettings,
    HeadSettings,
    Hyperparameters,
    TextSettings,
    TrainingSettings,
)
from lslm.text.vocabulary import Vocabulary

WORDS = Vocabulary(("<pad>", "<unk>", "a", "good", "bad", "film", "not"))
TARGETS = {"labels": ["neg", "pos"]}
VECTORS = np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(np.float32)
SHAKEN = EncoderSettings(
    units=5,
    tuned_words=3,
    embedding_dropout=0.2,
    spatial_dropout=0.2,
    recurrent_dropout=0.2,
    head_dropout=0.2,
)
HYPERPARAMETERS = Hyperparameters(encoder=SHAKEN, training=TrainingSettings(max_tokens=8))


def network(hyperparameters: Hyperparameters, seed: int = 0) -> keras.Model:
    """A classifier whose trained weights are all drawn at random."""
    encoder = Encoder(
        n_words=len(WORDS),
        size=6,
        vectors=VECTORS,
        settings=hyperparameters.encoder,
        seed=seed,
    )
    model = heads.get("classify").build(encoder, TARGETS, hyperparameters)
    random = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    return model


def write(folder: Path, hyperparameters: Hyperparameters = HYPERPARAMETERS) -> list[keras.Model]:
    """A model folder with non-default settings and two members; the members."""
    members = [network(hyperparameters, seed) for seed in (1, 2)]
    write_members(folder, members, hyperparameters)
    return members


def write_members(
    folder: Path,
    members: list[keras.Model],
    hyperparameters: Hyperparameters = HYPERPARAMETERS,
    networks: bool = True,
) -> None:
    """A model folder of these members."""
    save(
        folder,
        members,
        WORDS,
        head=HeadSettings(),
        targets=TARGETS,
        text=TextSettings(lowercase=False),
        cleaning=CleaningSettings(html=False),
        hyperparameters=hyperparameters,
        name="toy",
        seen=np.array([7, 3, 2**64 - 1], np.uint64),
        networks=networks,
    )
