"""Exact duplicates: the first stays, in the order given holdout, corpus, outside text.

A given holdout stays whole, so that scores on a published test set mean what others' mean: its own
duplicates are grouped with the rest and not rejected.
"""

import numpy as np
from numpy.typing import NDArray

PARTS = ("corpus", "holdout", "outside")
REASONS = (
    "",
    "duplicate",
    "duplicate, other label",
    "also in the given holdout",
    "also in the corpus",
)
"""By code; 0 keeps the document."""


def faults(
    fingerprints: NDArray[np.uint64], labels: NDArray[np.uint64], parts: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A code of `REASONS` for each document, `(n,)`; `labels` are hashes, `parts` index `PARTS`.

    A duplicate under another label is a contradiction; the first is believed and both are counted.
    """
    first = first_with_same(fingerprints)
    own, others = parts, parts[first]
    code = np.where(labels == labels[first], 1, 2)
    code = np.where((others == 1) & (own != 1), 3, code)
    code = np.where((others == 0) & (own == 2), 4, code)
    kept = (first == np.arange(len(first))) | (own == 1)
    return np.where(kept, 0, code).astype(np.uint8)


def first_with_same(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each place the first place with the same value.

    Example:
        >>> first_with_same(np.array([7, 8, 7], np.uint64)).tolist()
        [0, 1, 0]
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    opens = np.concatenate([[True], ranked[1:] != ranked[:-1]])[: len(values)]
    first = np.empty(len(values), np.int64)
    first[order] = order[np.flatnonzero(opens)[np.cumsum(opens) - 1]] if len(values) else order
    return first
