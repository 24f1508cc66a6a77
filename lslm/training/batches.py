"""Batches of similar lengths, padded on the right only as far as needed.

Documents are shuffled, cut into windows of some batches, and sorted by length inside each window; a
batch is padded to a multiple of 8.
"""

from collections.abc import Iterator

import keras
import numpy as np

from lslm.heads.contract import Array
from lslm.text.store import Rows
from lslm.text.vocabulary import Ids
from lslm.training.parts import Examples

_WINDOW = 16
_MULTIPLE = 8


class Batches(keras.utils.PyDataset):
    """Training batches in a new order each epoch, the same for the same seed."""

    def __init__(self, examples: Examples, batch_size: int, longest: int, seed: int) -> None:
        super().__init__()
        self.examples, self.batch_size, self.longest = examples, batch_size, longest
        self.lengths = examples.lengths(longest)
        self.random = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Ids, Array]:
        rows = self.batches[index]
        ids = padded(self.examples, rows, self.longest)
        if index == 0:
            # Keras takes a width that its first two batches share for the width of all.
            ids = np.pad(ids, ((0, 0), (0, _MULTIPLE)))
            if len(self) > 1 and ids.shape[1] == self[1][0].shape[1]:
                ids = np.pad(ids, ((0, 0), (0, _MULTIPLE)))
        return ids, self.examples.targets[rows]

    def on_epoch_end(self) -> None:
        """Shuffle again."""
        order = self.random.permutation(len(self.lengths))
        batches = list(_similar(order, self.lengths, self.batch_size))
        self.batches = [batches[i] for i in self.random.permutation(len(batches))]


def in_order(lengths: Rows, batch_size: int) -> Iterator[Rows]:
    """Rows in batches of similar lengths, for answering: no shuffling."""
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def padded(examples: Examples, rows: Rows, longest: int) -> Ids:
    """Ids `(len(rows), time)`; time is the longest of them, rounded up to a multiple of 8."""
    documents = [examples.document(row, longest) for row in rows]
    time = max(1, *(len(document) for document in documents))
    ids = np.zeros((len(documents), -(-time // _MULTIPLE) * _MULTIPLE), np.int32)
    for line, document in zip(ids, documents, strict=True):
        line[: len(document)] = document
    return ids


def _similar(order: Rows, lengths: Rows, batch_size: int) -> Iterator[Rows]:
    size = _WINDOW * batch_size
    for start in range(0, len(order), size):
        window = order[start : start + size]
        window = window[np.argsort(lengths[window], kind="stable")]
        for begin in range(0, len(window), batch_size):
            yield window[begin : begin + batch_size]
