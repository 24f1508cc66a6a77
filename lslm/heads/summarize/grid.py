"""Documents as grids of sentences, `(rows, sentences, words)`.

A document of many sentences becomes several rows, so that time grows linearly with it and memory does
not; features are of the whole document.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lslm.heads.batching import TOKENS, UNCUT, Array, Batching
from lslm.heads.ragged import ragged
from lslm.heads.summarize.features import NAMES, features
from lslm.heads.summarize.options import Options
from lslm.settings import Section
from lslm.text.sentences import Sentences, splitter
from lslm.text.vocabulary import UNKNOWN, Ids

FEATURES = "features"
WINDOW = 64
"""Sentences of a row, at most."""
LONGEST = 60
"""Words of a sentence that a network reads."""


@dataclass(frozen=True)
class _Row:
    """Sentences `start` to `stop` of a document."""

    document: int
    start: int
    stop: int


class Grid(Batching):
    """A row holds up to 64 sentences; outputs are one number a sentence."""

    most_rows = 8
    ragged = True

    def sentences(self, options: Section) -> Sentences:
        """As the head's options say."""
        given = Options.model_validate(options.model_dump())
        return splitter(given.split, given.language)

    def longest(self, max_tokens: int) -> int:
        """Documents are never cut; each sentence is."""
        return UNCUT

    def inputs(
        self, documents: Sequence[Ids], mark: int, multiple: int = 1, extra: int = 0
    ) -> dict[str, Array]:
        """Token ids int32 `(rows, sentences, words)` and features `(rows, sentences, n_features)`."""
        cut = [sentences_of(document, mark) for document in documents]
        rows = list(_rows([len(each) for each in cut]))
        width = max((len(ids) for each in cut for ids in each), default=1)
        words = -(-min(width, LONGEST) // multiple) * multiple + extra
        high = max((row.stop - row.start for row in rows), default=1) + extra
        tokens = np.zeros((len(rows), high, words), np.int32)
        described = np.zeros((len(rows), high, len(NAMES)), np.float32)
        whole = [features(each) for each in cut]
        for number, row in enumerate(rows):
            described[number, : row.stop - row.start] = whole[row.document][row.start : row.stop]
            for place, ids in enumerate(cut[row.document][row.start : row.stop]):
                tokens[number, place, : min(len(ids), LONGEST)] = ids[:LONGEST]
        return {TOKENS: tokens, FEATURES: described}

    def targets(self, targets: Array, inputs: Mapping[str, Array]) -> Array:
        """Mask, gains, labels, and the highest gain of the whole document, float32 `(rows, sentences, 4)`."""
        high = inputs[TOKENS].shape[1]
        rows = list(_rows([len(truth["gains"]) for truth in targets]))
        packed = np.zeros((len(rows), high, 4), np.float32)
        for number, row in enumerate(rows):
            truth, part = targets[row.document], slice(row.start, row.stop)
            n = row.stop - row.start
            packed[number, :n, 0] = 1
            packed[number, :n, 1] = truth["gains"][part]
            packed[number, :n, 2] = truth["labels"][part]
            packed[number, :n, 3] = max(truth["gains"], default=0.0)
        return packed

    def own(self, outputs: Array, documents: Sequence[Ids], mark: int) -> Array:
        """A vector a document, of one number a sentence."""
        rows = _rows([len(sentences_of(document, mark)) for document in documents])
        found: list[list[Array]] = [[] for _ in documents]
        for row, values in zip(rows, outputs, strict=True):
            found[row.document].append(values[: row.stop - row.start].reshape(-1))
        return ragged([np.concatenate(each).astype(np.float32) for each in found])

    def weights(self, attention: Array, documents: Sequence[Ids], mark: int) -> Array:
        """A weight a token, which sum to 1 over each sentence; 0 at marks and where nothing was read."""
        cut = [sentences_of(document, mark) for document in documents]
        rows = list(_rows([len(each) for each in cut]))
        grid = attention.reshape(len(rows), -1, attention.shape[-1])
        found: list[list[Array]] = [[] for _ in documents]
        for row, sentences in zip(rows, grid, strict=True):
            for place in range(row.start, row.stop):
                n = len(cut[row.document][place])
                own = np.zeros(n + (place > 0), np.float32)
                read = sentences[place - row.start][: min(n, LONGEST)]
                own[place > 0 :][: len(read)] = read
                found[row.document].append(own)
        return ragged([np.concatenate(each) for each in found])


def sentences_of(document: Ids, mark: int) -> list[Ids]:
    """A document's ids cut at the marks; a sentence without a token has one that is not known."""
    cuts = np.flatnonzero(document == mark)
    pieces = np.split(document, cuts)
    stripped = [piece if i == 0 else piece[1:] for i, piece in enumerate(pieces)]
    return [piece if len(piece) else np.array([UNKNOWN], np.int32) for piece in stripped]


def _rows(counts: Sequence[int]) -> Iterator[_Row]:
    for document, n in enumerate(counts):
        for start in range(0, max(1, n), WINDOW):
            yield _Row(document, start, min(start + WINDOW, max(1, n)))
