"""Cleaned documents of a sample, and which of them are trained on and held back."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lslm.settings import Settings
from lslm.text.store import Rows, Tokens

_TRAINED_TOKENS = 100_000
"""At most, of the documents that networks are timed on."""
_WINDOW = 16
"""Batches inside which documents of like length are put together (`lslm.training.batches`)."""


@dataclass(frozen=True)
class Sample:
    """Cleaned documents of one part, and their tokens."""

    documents: Path
    tokens: Tokens
    folder: Path
    """Of the tokens."""
    n_drawn: int

    @property
    def n(self) -> int:
        """Documents."""
        return len(self.tokens)

    def rows(self, most_tokens: int) -> Rows:
        """The first documents that hold at most so many tokens, one at least."""
        ends = np.asarray(self.tokens.offsets[1:])
        return np.arange(max(1, int(np.searchsorted(ends, most_tokens))))

    def n_tokens(self, rows: Rows) -> int:
        """Of those documents."""
        return int(sum(len(self.tokens.document(row)) for row in rows))

    def n_characters(self) -> int:
        """Of all documents."""
        texts = pl.read_parquet(self.documents, columns=["text"])["text"]
        return int(texts.str.len_chars().sum())

    def n_types(self, rows: Rows, least: int = 1) -> int:
        """Different tokens that stand at least so often in those documents."""
        return int((self.tokens.counts(rows) >= least).sum())


@dataclass(frozen=True)
class Chosen:
    """Rows of the sample that things are fitted on and asked about."""

    training: tuple[Rows, Rows]
    """Some, and twice as many."""
    validation: Rows

    @classmethod
    def of(cls, sample: Sample, settings: Settings) -> "Chosen":
        """As many as are batched together, unless the sample or its tokens are fewer."""
        wanted = 2 * _WINDOW * settings.training.batch_size
        n = min(wanted, len(sample.rows(_TRAINED_TOKENS)), sample.n * 4 // 5)
        n_held = max(1, min(n // 2, sample.n - n))
        return cls((np.arange(max(2, n // 2)), np.arange(n)), np.arange(n, n + n_held))
