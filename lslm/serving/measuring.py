"""What a model would cost where it is served, known before it is trained.

Neither the size of the folder nor the time of an answer depends on what the weights came to, so networks with
weights drawn at random are put together as the model would be, and measured as the gate measures a model.
"""

from pathlib import Path

import keras
import numpy as np
import polars as pl

from lslm import heads
from lslm.serving.assembly import put_together
from lslm.serving.latency import measure
from lslm.serving.predictor import Predictor
from lslm.serving.recipe import Recipe
from lslm.settings import Hyperparameters
from lslm.training.fitting import build
from lslm.training.parts import Part
from lslm.workspace import size

_PASSES = 5


def measured(folder: Path, recipe: Recipe, hyperparameters: Hyperparameters) -> dict[str, float]:
    """`size_mb`, millions of bytes, and `latency_ms`, of one document alone, of a model made at `folder`.

    The time is the least of the medians of five passes over up to 200 documents of the development set:
    what else the machine does can only add to it.
    """
    keras.utils.clear_session()
    texts: list[str] = pl.read_parquet(recipe.documents, columns=["text"])["text"].to_list()
    put_together(folder, _networks(recipe, hyperparameters), recipe, hyperparameters)
    predictor = Predictor.load(folder)
    medians = [measure(predictor, texts).median for _ in range(_PASSES)]
    return {"size_mb": size(folder) / 1e6, "latency_ms": min(medians)}


def _networks(recipe: Recipe, hyperparameters: Hyperparameters) -> list[keras.Model]:
    """As many as the model has members."""
    part, head = Part(recipe.part_folder, hyperparameters.encoder), heads.get(recipe.head.kind)
    seed = hyperparameters.training.seed
    members = range(seed, seed + hyperparameters.training.members)
    return [_drawn(build(part, head, hyperparameters, each), each) for each in members]


def _drawn(network: keras.Model, seed: int) -> keras.Model:
    """Random weights: what members begin with alike, such as biases, would be kept once in their graph."""
    random = np.random.default_rng(seed)
    for weight in network.trainable_weights:
        weight.assign(random.normal(scale=0.1, size=weight.shape))
    return network
