"""A toy corpus on disk, as stages hand it on: documents of two labels, and their tokens."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lslm.settings import TextSettings
from lslm.text import store


def written(folder: Path, texts: Sequence[str]) -> Path:
    """The texts in `folder`, labelled `neg` and `pos` in turns."""
    frame = pl.DataFrame(
        {
            "text": texts,
            "label": ["pos" if i % 2 else "neg" for i in range(len(texts))],
            "fingerprint": pl.Series(range(len(texts)), dtype=pl.UInt64),
        }
    )
    frame.write_parquet(folder / "documents.parquet")
    store.write(folder / "documents.parquet", TextSettings(), folder / "tokens")
    return folder
