"""How well a language model expects texts, from what each document cost.

Outputs are nats a document, `(n,)`. The truth is tokens to predict and characters, int64 `(n, 2)`: each
line's end counts as one of both.
"""

import numpy as np
import polars as pl

from lslm.heads.contract import Array, Targets
from lslm.heads.language_model.rule import tokens_of
from lslm.statistics.resampling import Mean, Ratio


def sizes(documents: pl.DataFrame, targets: Targets) -> Array:
    """Tokens to predict and characters of each document, int64 `(n, 2)`."""
    split = tokens_of(targets)
    counts = [(len(split(text)) + 1, len(text) + 1) for text in documents["text"]]
    return np.array(counts, np.int64).reshape(-1, 2)


def nats_per_token(truth: Array, outputs: Array) -> Array:
    """Of each document, `(n,)`."""
    return outputs / truth[:, 0]


def _nats(truth: Array, outputs: Array) -> Array:
    return outputs


def _bits(truth: Array, outputs: Array) -> Array:
    return outputs / np.log(2)


cross_entropy = Mean(nats_per_token)
"""Each document counts the same, however long it is."""
perplexity = Ratio(_nats, lambda truth, outputs: truth[:, 0], np.exp)
"""A token, over all documents together."""
bits_per_character = Ratio(_bits, lambda truth, outputs: truth[:, 1])
"""Over all documents together."""
