"""Documents one behind another in some rows, and a batch the next piece of each row.

Padding stands before each document, where the network forgets what it read. A row goes on in the next
batch where it ended in the last one (Merity et al. 2018, section 5: pieces differ in length, so that no
token is always the one that no gradient reaches back from).
"""

import keras
import numpy as np
from numpy.typing import NDArray

from lslm.heads.batching import TOKENS, Batching
from lslm.heads.contract import Array
from lslm.text.vocabulary import PADDING
from lslm.training.batches import MULTIPLE
from lslm.training.parts import Examples

_SPREAD = 0.1
"""Standard deviation of the length of a piece, as a share of `steps`."""


class Streams(keras.utils.PyDataset):
    """Pieces of about `steps` tokens in `n_rows` rows; documents are shuffled each epoch."""

    def __init__(
        self,
        examples: Examples,
        batching: Batching,
        mark: int,
        n_rows: int,
        steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.batching = batching
        self.examples, self.mark, self.n_rows, self.steps = examples, mark, n_rows, steps
        self.random = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        start, stop = self.bounds[index], self.bounds[index + 1]
        # The last token of a piece is the first of the next: there it is read, here predicted.
        tokens = self.rows[:, start : stop + 1]
        if index == 0:
            tokens = np.pad(tokens, ((0, 0), (self._forgetting(), 0)))
        return tokens, self.batching.targets(self.examples.targets[:0], {TOKENS: tokens})

    def on_epoch_end(self) -> None:
        """Shuffle again."""
        order = self.random.permutation(len(self.examples))
        self.rows = in_rows(self.examples, order, self.mark, self.n_rows)
        self.bounds = pieces(self.rows.shape[1] - 1, self.steps, self.random)

    def _forgetting(self) -> int:
        """Columns of padding in front of an epoch: no row goes on from another epoch's end.

        Keras takes a width that its first two batches share for the width of all.
        """
        widths = np.diff(self.bounds)
        return 1 + MULTIPLE if len(widths) > 1 and widths[0] + 1 == widths[1] else 1


def in_rows(examples: Examples, order: Array, mark: int, n_rows: int) -> NDArray[np.int32]:
    """The documents in that order, cut into rows of one length, `(n_rows, time)`.

    Each stands between two marks, with padding before it.
    """
    lengths = np.diff(examples.offsets)[order]
    starts = np.concatenate([[0], np.cumsum(lengths + 3)])
    width = max(2, -(-int(starts[-1]) // n_rows))
    flat = np.full(n_rows * width, PADDING, np.int32)
    for row, start, length in zip(order, starts, lengths, strict=False):
        first = examples.offsets[row]
        flat[start + 2 : start + 2 + length] = examples.flat[first : first + length]
        flat[start + 1] = flat[start + 2 + length] = mark
    return flat.reshape(n_rows, width)


def pieces(n: int, steps: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Where to cut `n` steps into pieces of about `steps`: as many for the same `n`, of random lengths.

    Some of them are half as long.

    Example:
        >>> pieces(3, 70, np.random.default_rng(0)).tolist()
        [0, 3]
    """
    count = max(1, round(n / steps))
    mean = np.where(random.random(count) < 0.95, 1.0, 0.5)
    lengths = np.maximum(random.normal(mean, _SPREAD), _SPREAD)
    spare = np.round(np.cumsum(lengths) / lengths.sum() * (n - count)).astype(np.int64)
    return np.concatenate([[0], spare + np.arange(1, count + 1)])
