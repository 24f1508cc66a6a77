"""Batches of similar lengths, padded on the right only as far as needed.

Documents are shuffled, cut into windows of some batches, and sorted by length inside each window; a
batch is padded to a multiple of 8.
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from lslm.heads.batching import TOKENS, Batching
from lslm.heads.contract import Array
from lslm.text.store import Rows
from lslm.training.parts import Examples

_WINDOW = 16
MULTIPLE = 8


class Batches(keras.utils.PyDataset):
    """Training batches in a new order each epoch, the same for the same seed."""

    def __init__(
        self,
        examples: Examples,
        batching: Batching,
        mark: int,
        batch_size: int,
        max_tokens: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.examples, self.batching, self.mark = examples, batching, mark
        self.batch_size, self.longest = batch_size, batching.longest(max_tokens)
        longest = self.longest
        self.lengths = examples.lengths(longest)
        self.random = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Any, Array]:
        inputs = self._inputs(index, 0)
        # Keras takes a width that its first two batches share for the width of all.
        extra = MULTIPLE if index == 0 else 0
        if extra:
            inputs = self._inputs(0, extra)
            while len(self) > 1 and _alike(inputs, self._inputs(1, 0)):
                extra += MULTIPLE
                inputs = self._inputs(0, extra)
        targets = self.batching.targets(self.examples.targets[self.batches[index]], inputs)
        return for_keras(inputs), targets

    def _inputs(self, index: int, extra: int) -> dict[str, Array]:
        documents = [self.examples.document(row, self.longest) for row in self.batches[index]]
        return self.batching.inputs(documents, self.mark, MULTIPLE, extra)

    def on_epoch_end(self) -> None:
        """Shuffle again."""
        order = self.random.permutation(len(self.lengths))
        batches = list(_similar(order, self.lengths, self.batch_size))
        self.batches = [batches[i] for i in self.random.permutation(len(batches))]


def for_keras(inputs: dict[str, Array]) -> Any:
    """The inputs in their order: an array where there is one, else a tuple."""
    values = tuple(inputs.values())
    return values[0] if len(values) == 1 else values


def _alike(one: dict[str, Array], other: dict[str, Array]) -> bool:
    """Whether a padded axis of the tokens has the same width in both."""
    widths = zip(one[TOKENS].shape[1:], other[TOKENS].shape[1:], strict=True)
    return any(a == b for a, b in widths)


def _similar(order: Rows, lengths: Rows, batch_size: int) -> Iterator[Rows]:
    size = _WINDOW * batch_size
    for start in range(0, len(order), size):
        window = order[start : start + size]
        window = window[np.argsort(lengths[window], kind="stable")]
        for begin in range(0, len(window), batch_size):
            yield window[begin : begin + batch_size]
