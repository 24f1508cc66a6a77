"""Documents as windows that a language model reads from nothing, as the encoder reads a document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from lslm.heads.batching import TOKENS, Array, Batching
from lslm.heads.language_model.rows import predicted
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


def examples(documents: Iterable[Ids], longest: int, direction: str) -> Examples:
    """Windows of all documents, read from their ends where the direction is `backward`."""
    turned = (each[::-1] if direction == "backward" else each for each in documents)
    pieces = [piece for document in turned for piece in windows(document, longest)]
    return _together(pieces)


def _together(pieces: Sequence[Ids]) -> Examples:
    lengths = np.array([len(piece) for piece in pieces], np.int64)
    flat = np.concatenate(pieces) if pieces else np.zeros(0, np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    # No document has a label here; what is predicted are its tokens.
    return Examples(flat, offsets, np.zeros(len(pieces), np.int8))
