"""An n-gram model with interpolated Kneser-Ney smoothing, on arrays.

Kneser & Ney 1995 in the interpolated form of Chen & Goodman 1999, section 3.1, one discount an order:
D = n1 / (n1 + 2 n2), where n1 and n2 are how many n-grams are counted once and twice. The lowest order
is interpolated with chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lslm.text.vocabulary import Ids

Keys = NDArray[np.uint64]
Counts = NDArray[np.int64]

_HALF = 0.5
"""The discount where nothing is counted once, so that no token becomes impossible."""


@dataclass(frozen=True)
class _Table:
    """Numbers by key; keys ascend."""

    keys: Keys
    values: Counts

    def __getitem__(self, keys: Keys) -> Counts:
        """The values, 0 for unknown keys."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.values[places], 0)


@dataclass(frozen=True)
class _Order:
    """Counts of the n-grams of one length."""

    grams: _Table
    totals: _Table
    """By context: sum of the counts of its n-grams."""
    types: _Table
    """By context: how many tokens follow it."""
    discount: float


class KneserNey:
    """A model fitted on documents of ids `(time,)`; `start` stands before each and ends it.

    `n_words` are the ids that can come, from 1 on: padding cannot.
    """

    def __init__(self, documents: Sequence[Ids], n_words: int, order: int, start: int) -> None:
        self._n_words, self._order, self._start = n_words, order, start
        grams, counts = _counted(self._grams(documents))
        self._orders: list[_Order] = []
        for _ in range(order):
            self._orders.insert(0, _order(grams, counts))
            # Of a shorter n-gram counts how many tokens it was seen after.
            grams, counts = _counted(grams[:, 1:])

    def nats(self, documents: Sequence[Ids]) -> NDArray[np.float64]:
        """What each document costs, its end included, `(n,)`."""
        costs = -np.log(self.probabilities(self._grams(documents)))
        ends = np.cumsum([len(document) + 1 for document in documents])
        return np.add.reduceat(costs, np.concatenate([[0], ends[:-1]])) if len(ends) else costs

    def probabilities(self, grams: Ids) -> NDArray[np.float64]:
        """Of the last token of each row after those before it, `(n,)`."""
        found = np.full(len(grams), 1 / (self._n_words - 1))
        for length, order in enumerate(self._orders, start=1):
            own = grams[:, self._order - length :]
            context = _keys(own[:, :-1])
            total = order.totals[context]
            known = total > 0
            some = np.maximum(total, 1)
            seen = np.maximum(order.grams[_keys(own)] - order.discount, 0) / some
            left = order.discount * order.types[context] / some
            found = np.where(known, seen + left * found, found)
        return found

    def _grams(self, documents: Sequence[Ids]) -> Ids:
        """A row for each token to predict: it and those before it, `(n, order)`."""
        edge = [self._start]
        rows = [
            np.lib.stride_tricks.sliding_window_view(
                np.concatenate([edge * (self._order - 1), document, edge]), self._order
            )
            for document in documents
        ]
        return np.concatenate([np.empty((0, self._order)), *rows]).astype(np.int32)


def _order(grams: Ids, counts: Counts) -> _Order:
    """From distinct n-grams and their counts."""
    keys, contexts = _keys(grams), _keys(grams[:, :-1])
    order = np.argsort(keys)
    distinct, place = np.unique(contexts, return_inverse=True)
    totals = np.bincount(place, weights=counts, minlength=len(distinct)).astype(np.int64)
    once, twice = int(np.sum(counts == 1)), int(np.sum(counts == 2))
    return _Order(
        _Table(keys[order], counts[order]),
        _Table(distinct, totals),
        _Table(distinct, np.bincount(place, minlength=len(distinct))),
        once / (once + 2 * twice) if once and twice else _HALF,
    )


def _counted(grams: Ids) -> tuple[Ids, Counts]:
    """Distinct rows, and how often each is there."""
    _, first, counts = np.unique(_keys(grams), return_index=True, return_counts=True)
    return grams[first], counts


def _keys(grams: Ids) -> Keys:
    """A 64-bit hash a row, by the finalizer of SplitMix64; no columns give all rows the same.

    Of ten million different rows, two share a hash with a chance of 3 in a million.
    """
    mixed = np.zeros(len(grams), np.uint64)
    for column in grams.T:
        mixed += (column.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed
