"""Documents as windows that a language model reads from nothing, as the encoder reads a document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from lslm.heads.batching import TOKENS, Array, Batching
from lslm.heads.language_model.rows import predicted
from lslm.text.store import Rows
from lslm.text.vocabulary import Ids
from lslm.training.parts import Examples


class Windows(Batching):
    """A row is a window; its targets say where a next token counts."""

    def targets(self, targets: Array, inputs: Mapping[str, Array]) -> Array:
        """1 where a token is predicted, float32 `(rows, time - 1)`."""
        return predicted(inputs[TOKENS])


def windows(document: Ids, longest: int) -> Iterator[Ids]:
    """Pieces of at most `longest` tokens; each begins with the last token of the one before.

    So every token but the first is predicted once. What is left of one token is no window.

    Example:
        >>> [piece.tolist() for piece in windows(np.arange(6, dtype=np.int32), 3)]
        [[0, 1, 2], [2, 3, 4], [4, 5]]
    """
    for start in range(0, len(document) - 1, longest - 1):
        yield document[start : start + longest]


def examples(documents: Sequence[Ids], longest: int, direction: str) -> Examples:
    """Windows of all documents, read from their ends where the direction is `backward`."""
    lengths = np.array([len(each) for each in documents], np.int64)
    return in_windows(documents, lengths, longest, direction)


def in_windows(documents: Iterable[Ids], lengths: Rows, longest: int, direction: str) -> Examples:
    """As `examples`, of documents that are read one by one and whose lengths are known."""
    offsets = _offsets(lengths, longest)
    flat = np.empty(offsets[-1], np.int32)
    place = 0
    for document in documents:
        turned = document[::-1] if direction == "backward" else document
        for piece in windows(turned, longest):
            flat[place : place + len(piece)] = piece
            place += len(piece)
    # No document has a label here; what is predicted are its tokens.
    return Examples(flat, offsets, np.zeros(len(offsets) - 1, np.int8))


def _offsets(lengths: Rows, longest: int) -> Rows:
    """Where the windows of documents of these lengths begin, and the last one ends."""
    step = longest - 1
    long = lengths[lengths > 1]
    n_windows = -(-(long - 1) // step)
    sizes = np.full(n_windows.sum(), longest, np.int64)
    sizes[np.cumsum(n_windows) - 1] = long - (n_windows - 1) * step
    return np.concatenate([[0], np.cumsum(sizes)])
