"""How documents enter a network, and how its outputs become theirs again. No Keras here."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lslm.settings import Section
from lslm.text.sentences import Sentences
from lslm.text.vocabulary import Ids

Array = NDArray[Any]
Numbers = NDArray[np.int64]
UNCUT = sys.maxsize
TOKENS = "tokens"


class Batching:
    """Documents as they are: one row each, ids padded on the right with 0, outputs a row each.

    A head with another way overrides what differs.
    """

    most_rows: int | None = None
    """Rows that a network answers at once; None: as many as it is given."""
    most_tokens: int | None = None
    """Tokens of documents that go in together, padding up to the longest included; None: any number."""
    ragged: bool = False
    """Whether outputs of two documents may differ in size."""
    in_streams: bool = False
    """Whether training reads documents one behind another, in rows that go on from batch to batch."""

    def sentences(self, options: Section) -> Sentences | None:
        """How documents are cut before they are tokenized; a mark then stands between sentences."""
        return None

    def longest(self, max_tokens: int) -> int:
        """Tokens that a document is cut to before it comes here."""
        return max_tokens

    def inputs(
        self, documents: Sequence[Ids], mark: int, multiple: int = 1, extra: int = 0
    ) -> dict[str, Array]:
        """Arrays by the names of the network's inputs, first axis the rows.

        `mark` is the id between sentences. Padded axes are multiples of `multiple`, and wider by `extra`.
        """
        time = max(1, *(len(document) for document in documents)) if documents else 1
        ids = np.zeros((len(documents), -(-time // multiple) * multiple + extra), np.int32)
        for line, document in zip(ids, documents, strict=True):
            line[: len(document)] = document
        return {TOKENS: ids}

    def targets(self, targets: Array, inputs: Mapping[str, Array]) -> Array:
        """Targets of the documents as the loss takes them, a row a row of the inputs."""
        return targets

    def own(self, outputs: Array, documents: Sequence[Ids], mark: int) -> Array:
        """Outputs of the rows as outputs of the documents, first axis the documents."""
        return outputs

    def weights(self, attention: Array, documents: Sequence[Ids], mark: int) -> Array:
        """The network's attention as weights of each document's tokens, first axis the documents."""
        return attention


def of_similar_length(
    lengths: Sequence[int] | Numbers, batch_size: int, most_tokens: int | None = None
) -> Iterator[Numbers]:
    """Documents to be answered together, by their numbers: the shortest first, up to `batch_size` at a time.

    With `most_tokens`, as many as come to no more than that when they are padded; a longer one goes alone.

    Example:
        >>> [rows.tolist() for rows in of_similar_length([9, 1, 2, 3, 2], batch_size=3, most_tokens=6)]
        [[1, 2, 4], [3], [0]]
    """
    most = most_tokens or UNCUT
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop, row in enumerate(order):
        n = stop - start
        if n == batch_size or (n and (n + 1) * int(lengths[row]) > most):
            yield order[start:stop]
            start = stop
    if start < len(order):
        yield order[start:]


def ask(
    batching: Batching,
    network: Callable[[dict[str, Array]], Sequence[Array]],
    documents: Sequence[Ids],
    mark: int,
    multiple: int = 1,
) -> list[Array]:
    """What a network answers for documents that go in together, output by output.

    It sees `most_rows` rows at a time; outputs are those of all rows.
    """
    inputs = batching.inputs(documents, mark, multiple)
    n_rows = len(inputs[TOKENS])
    step = batching.most_rows or n_rows
    answered = [
        network({name: values[start : start + step] for name, values in inputs.items()})
        for start in range(0, n_rows, step)
    ]
    return [np.concatenate(outputs) for outputs in zip(*answered, strict=True)]
