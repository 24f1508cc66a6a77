"""A small language model and its folder to test with."""

from pathlib import Path

import keras
import numpy as np
import polars as pl

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.serving.model_files import save
from lslm.settings import CleaningSettings, HeadSettings, Hyperparameters, TextSettings
from lslm.text.vocabulary import MARK, Vocabulary

WORDS = Vocabulary(("<pad>", "<unk>", "the", "fox", "came", "home", ",", MARK))
HEAD = HeadSettings(kind="language-model", options={"min_count": 1, "weight_dropout": 0.2})
HYPERPARAMETERS = Hyperparameters(head=dict(HEAD.options)).replaced(
    {"encoder.units": 5, "encoder.layers": 2, "training.batch_size": 4}
)


def network(
    seed: int, size: int = 6, hyperparameters: Hyperparameters = HYPERPARAMETERS
) -> keras.Model:
    """A network whose weights are all drawn at random, the carried state among them."""
    encoder = Encoder(len(WORDS), size, None, hyperparameters.encoder, seed)
    model = heads.get(HEAD.kind).build(encoder, {}, hyperparameters)
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape))
    return model


def write(folder: Path, networks: bool = True) -> list[keras.Model]:
    """A model folder of two members; the members."""
    members = [network(seed) for seed in (1, 2)]
    save(
        folder,
        members,
        WORDS,
        head=HEAD,
        targets=heads.get(HEAD.kind).fit_targets(pl.DataFrame(), heads.options(HEAD)),
        text=TextSettings(),
        cleaning=CleaningSettings(),
        hyperparameters=HYPERPARAMETERS,
        name="foxes",
        seen=np.array([1], np.uint64),
        networks=networks,
    )
    return members
