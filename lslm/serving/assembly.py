"""The model folder of a fitted model, put together in a training process."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import polars as pl

from lslm.serving.model_files import load_network, save
from lslm.serving.recipe import Recipe
from lslm.settings import Hyperparameters
from lslm.training.parts import Part


def assemble(
    folder: Path, members: Sequence[Path], recipe: Recipe, hyperparameters: Hyperparameters
) -> None:
    """Write the folder from Keras archives."""
    networks = [load_network(path, recipe.head.kind) for path in members]
    put_together(folder, networks, recipe, hyperparameters)


def put_together(
    folder: Path, members: Sequence[keras.Model], recipe: Recipe, hyperparameters: Hyperparameters
) -> None:
    """Write the folder from networks."""
    part = Part(recipe.part_folder, hyperparameters.encoder)
    seen = pl.read_parquet(recipe.documents, columns=["fingerprint"])["fingerprint"].to_numpy()
    save(
        folder,
        members,
        part.vocabulary,
        head=recipe.head,
        targets=part.targets,
        text=recipe.serving.text,
        cleaning=recipe.serving.cleaning,
        hyperparameters=hyperparameters,
        name=recipe.serving.name,
        seen=np.sort(seen),
        networks=recipe.serving.networks,
    )
