"""What summarizers look at besides words: where a sentence stands, how long it is, what it repeats."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lslm.heads.contract import Array
from lslm.text.vocabulary import Ids

if TYPE_CHECKING:
    from scipy import sparse

NAMES = (
    "first",
    "last",
    "from_start",
    "place",
    "length",
    "relative_length",
    "central",
    "like_first",
    "new",
    "single",
)
"""Columns, in order."""


def features(sentences: Sequence[Ids]) -> Array:
    """Features of a document's sentences, float32 `(n_sentences, len(NAMES))`.

    Words are weighted by the logarithm of their id: ids go by falling frequency, and the inverse
    frequency of a word grows about as its rank (Zipf). `central` is the cosine with the whole document,
    `like_first` that with its first sentence, its title where the option `title` says so, and `new` is one
    minus the share of words that stand in sentences before. Time and memory grow linearly.
    """
    n = len(sentences)
    lengths = np.array([len(ids) for ids in sentences], np.float32)
    bags = _bags(sentences)
    whole = np.asarray(bags.sum(axis=0)).ravel()
    first = np.asarray(bags[0].todense()).ravel()
    place = np.arange(n, dtype=np.float32)
    columns = [
        place == 0,
        place == n - 1,
        1 / (1 + place),
        place / max(1, n - 1),
        np.log1p(lengths) / 4,
        lengths / max(1.0, float(lengths.mean())) / 2,
        _cosines(bags, whole),
        _cosines(bags, first),
        _novelty(sentences),
        np.full(n, n == 1),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _bags(sentences: Sequence[Ids]) -> "sparse.csr_array":
    """Weighted counts, a row a sentence and a column a word of the document."""
    from scipy import sparse

    rows = np.repeat(np.arange(len(sentences)), [len(ids) for ids in sentences])
    words, columns = np.unique(
        np.concatenate([*sentences, []]).astype(np.int64), return_inverse=True
    )
    weights = np.log1p(words[columns].astype(np.float64))
    shape = (len(sentences), max(1, len(words)))
    return sparse.csr_array((weights, (rows, columns)), shape=shape)


def _cosines(bags: "sparse.csr_array", other: Array) -> Array:
    norms = np.sqrt(np.asarray(bags.multiply(bags).sum(axis=1)).ravel()) * np.linalg.norm(other)
    return np.divide(bags @ other, norms, out=np.zeros(len(norms)), where=norms > 0)


def _novelty(sentences: Sequence[Ids]) -> Array:
    seen: set[int] = set()
    found: list[float] = []
    for ids in sentences:
        words = set(ids.tolist())
        found.append(len(words - seen) / len(words) if words else 0.0)
        seen |= words
    return np.array(found)
