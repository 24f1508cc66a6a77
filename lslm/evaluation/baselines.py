"""Baselines of a head, fitted and asked in a training process."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lslm import heads
from lslm.heads.contract import Array, Targets
from lslm.text.store import Rows


@dataclass(frozen=True)
class Documents:
    """Rows of a Parquet file of cleaned documents; None takes them all."""

    path: Path
    rows: Rows | None

    def read(self) -> pl.DataFrame:
        """The rows themselves."""
        frame = pl.read_parquet(self.path)
        return frame if self.rows is None else frame[self.rows]


def answer_baseline(
    head_kind: str,
    name: str,
    training: Documents,
    documents: Documents,
    targets: Targets,
    seed: int,
) -> Array:
    """Fit the head's baseline `name` on `training` and answer for `documents`."""
    baseline = heads.get(head_kind).baselines[name]
    return baseline(training.read(), documents.read(), targets, seed)
