"""The model folder of a fitted model, put together in a training process."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import polars as pl

from lslm.serving.model_files import save
from lslm.settings import CleaningSettings, HeadSettings, Hyperparameters, TextSettings
from lslm.training.parts import Part


def assemble(
    folder: Path,
    members: Sequence[Path],
    part_folder: Path,
    documents: Path,
    head: HeadSettings,
    text: TextSettings,
    cleaning: CleaningSettings,
    hyperparameters: Hyperparameters,
    name: str,
) -> None:
    """Write the folder from Keras archives and the part they were fitted on.

    `documents` is the development set, whose fingerprints are kept: the gate compares models on
    documents that neither trained on.
    """
    part = Part(part_folder)
    seen = pl.read_parquet(documents, columns=["fingerprint"])["fingerprint"].to_numpy()
    save(
        folder,
        [keras.saving.load_model(path, compile=False) for path in members],
        part.vocabulary,
        head=head,
        targets=part.targets,
        text=text,
        cleaning=cleaning,
        hyperparameters=hyperparameters,
        name=name,
        seen=np.sort(seen),
    )
