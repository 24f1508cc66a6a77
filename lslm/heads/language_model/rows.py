"""Documents as rows of tokens to go through, and the network's outputs as a number a document."""

from collections.abc import Mapping, Sequence

import numpy as np

from lslm.heads.batching import TOKENS, UNCUT, Array, Batching
from lslm.heads.language_model.rule import LINES
from lslm.settings import Section
from lslm.text.sentences import Sentences
from lslm.text.vocabulary import PADDING, Ids


class Rows(Batching):
    """A row is a document from its `<s>` to its `<s>`; the output is what its tokens cost, in nats."""

    most_rows = 64
    most_tokens = 2**15
    in_streams = True

    def sentences(self, options: Section) -> Sentences:
        """Lines: each ends with `<s>`."""
        return LINES

    def longest(self, max_tokens: int) -> int:
        """Documents are never cut: the state is carried to their end."""
        return UNCUT

    def inputs(
        self, documents: Sequence[Ids], mark: int, multiple: int = 1, extra: int = 0
    ) -> dict[str, Array]:
        """Token ids int32 `(rows, time)`."""
        edge = np.array([mark], np.int32)
        whole = [np.concatenate([edge, document, edge]) for document in documents]
        return super().inputs(whole, mark, multiple, extra)

    def targets(self, targets: Array, inputs: Mapping[str, Array]) -> Array:
        """Where a token is predicted, float32 `(rows, time - 1)`: the tokens themselves are the targets."""
        return predicted(inputs[TOKENS])

    def own(self, outputs: Array, documents: Sequence[Ids], mark: int) -> Array:
        """Nats of each document, float64 `(n,)`."""
        costs = zip(outputs, documents, strict=True)
        return np.array([row[: len(ids) + 1].sum(dtype=np.float64) for row, ids in costs])


def predicted(tokens: Array) -> Array:
    """1 where a row's next token counts, float32 `(rows, time - 1)`: both it and the one before are there.

    Example:
        >>> predicted(np.array([[4, 7, 4, 0]])).tolist()
        [[1.0, 1.0, 0.0]]
    """
    there = tokens != PADDING
    return (there[:, :-1] & there[:, 1:]).astype(np.float32)
