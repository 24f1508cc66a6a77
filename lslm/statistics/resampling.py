"""Documents drawn with replacement, and metrics that know how to be computed on thousands of such draws at once.

For a mean a draw is how often each value comes up; for anything made from a confusion matrix, how often each
cell does. Neither copies the outputs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_BLOCK = 1 << 22
_FEW = 64


@dataclass(frozen=True)
class Draws:
    """How documents are drawn, `resamples` times: each by itself, or all of one group together.

    Documents of one group, such as those of one author, say much the same: drawn one by one they make an interval
    too narrow. Whole groups are drawn instead, as many as there are (Davison & Hinkley 1997, section 3.8; Field &
    Welsh 2007), so that resamples differ in their number of documents.
    """

    resamples: int
    rng: np.random.Generator
    groups: Array | None = None
    """Names or numbers of the documents' groups, `(n,)`; None: each document by itself. Where all are of one group
    nothing is known of others: documents are drawn, and what comes of them speaks of that group alone."""

    def rows(self, n: int) -> Iterator[Array]:
        """Positions of the documents of each resample, out of `n`."""
        if not self.together:
            for _ in range(self.resamples):
                yield self.rng.integers(0, n, n)
            return
        order = np.argsort(self._numbers, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(self._numbers))[:-1])
        for _ in range(self.resamples):
            drawn = self.rng.integers(0, len(members), len(members))
            yield np.concatenate([members[group] for group in drawn])

    def sums(self, values: Array) -> Array:
        """Sums over the documents of each resample, `(resamples, k)`, of values `(n, k)`; memory is bounded.

        Where few are distinct, such as right and wrong, drawing how often each comes up is the same in
        distribution and takes no table of draws.
        """
        totals = self._totals(values) if self.together else values
        n, width = totals.shape
        # Rows are compared much more slowly than numbers.
        given, axis = (totals, 0) if width > 1 else (totals[:, 0], None)
        distinct, counts = np.unique(given, axis=axis, return_counts=True)
        distinct = distinct.reshape(-1, width)
        if len(distinct) <= _FEW:
            return self.rng.multinomial(n, counts / n, size=self.resamples) @ distinct
        draws = (
            self.rng.integers(0, n, size=(size, n), dtype=np.int32)
            for size in self._blocks(n * width)
        )
        return np.concatenate([totals[draw].sum(axis=1) for draw in draws])

    def counts(self, cells: Array, n_cells: int) -> Iterator[Array]:
        """How often each of `n_cells` comes up, in blocks `(size, n_cells)`; `cells` are the documents'."""
        if not self.together:
            known, often = np.unique(cells, return_counts=True)
            for size in self._blocks(n_cells):
                drawn = np.zeros((size, n_cells))
                drawn[:, known] = self.rng.multinomial(len(cells), often / len(cells), size=size)
                yield drawn
            return
        from scipy.sparse import csr_matrix

        n = self._n_groups
        of_group = csr_matrix((np.ones(len(cells)), (self._numbers, cells)), shape=(n, n_cells))
        for size in self._blocks(max(n, n_cells)):
            draws = (self.rng.integers(0, n, n, dtype=np.int32) for _ in range(size))
            yield np.stack([np.bincount(draw, minlength=n) for draw in draws]) @ of_group

    @cached_property
    def _numbers(self) -> Array:
        numbers: Array = np.unique(np.asarray(self.groups), return_inverse=True)[1]
        return numbers

    @property
    def _n_groups(self) -> int:
        return int(self._numbers.max()) + 1

    @cached_property
    def together(self) -> bool:
        """Whether whole groups are drawn."""
        return self.groups is not None and 1 < self._n_groups < len(self.groups)

    def _totals(self, values: Array) -> Array:
        columns = [np.bincount(self._numbers, weights=column) for column in values.T]
        return np.stack(columns, axis=1)

    def _blocks(self, each: int) -> Iterator[int]:
        """Resamples of a block, where one takes `each` numbers."""
        step = max(1, _BLOCK // each)
        return (min(step, self.resamples - start) for start in range(0, self.resamples, step))


def some_together(groups: Array | None) -> bool:
    """Whether a group has more than one document."""
    return groups is not None and len(np.unique(groups)) < len(groups)


@runtime_checkable
class Resampled(Protocol):
    """A metric with a faster way to its bootstrap distribution than calling it again and again."""

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """The metric itself."""
        ...

    def resample(self, truth: Array, outputs: Array, draws: Draws) -> Array:
        """Its values on the draws, `(resamples,)`."""
        ...


@dataclass(frozen=True)
class Mean:
    """A metric that is the mean of one score a document."""

    scores: Callable[[Array, Array], Array]
    """From (truth, outputs) to `(n,)`."""

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """Mean of the scores."""
        return float(np.mean(self.scores(truth, outputs)))

    def resample(self, truth: Array, outputs: Array, draws: Draws) -> Array:
        """Means of resampled scores."""
        return resampled_means(self.scores(truth, outputs), draws)


def _as_it_is(values: Array) -> Array:
    return values


@dataclass(frozen=True)
class Ratio:
    """A metric that is one sum over the documents by another, such as errors by words."""

    above: Callable[[Array, Array], Array]
    """From (truth, outputs) to `(n,)`."""
    below: Callable[[Array, Array], Array]
    """The same, for what it is divided by."""
    told: Callable[[Array], Array] = _as_it_is
    """What is made of the ratio, such as its exponential."""

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """The ratio of the sums."""
        sums = self.above(truth, outputs).sum() / self.below(truth, outputs).sum()
        return float(self.told(sums))

    def resample(self, truth: Array, outputs: Array, draws: Draws) -> Array:
        """Ratios of resampled sums: a document brings both its numbers."""
        both = np.stack([self.above(truth, outputs), self.below(truth, outputs)], axis=1)
        above, below = draws.sums(both).T
        return self.told(above / below)


@dataclass(frozen=True)
class OfConfusion:
    """A metric made from the confusion matrix of argmax predictions."""

    summary: Callable[[Array], Array]
    """From counts `(..., n_labels, n_labels)`, truth before prediction, to values `(...)`."""

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """The summary of the confusion matrix."""
        return float(self.summary(confusion(truth, outputs)))

    def resample(self, truth: Array, outputs: Array, draws: Draws) -> Array:
        """Summaries of resampled confusion matrices."""
        n_labels = outputs.shape[1]
        blocks = draws.counts(_cells(truth, outputs), n_labels**2)
        return np.concatenate(
            [self.summary(block.reshape(len(block), n_labels, n_labels)) for block in blocks]
        )


def confusion(truth: Array, outputs: Array) -> Array:
    """Counts of (true label, predicted label), `(n_labels, n_labels)`.

    Example:
        >>> confusion(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])).tolist()
        [[1, 0], [1, 1]]
    """
    n_labels = outputs.shape[1]
    return np.bincount(_cells(truth, outputs), minlength=n_labels**2).reshape(n_labels, n_labels)


def _cells(truth: Array, outputs: Array) -> Array:
    return truth.astype(np.int64) * outputs.shape[1] + outputs.argmax(axis=1)


def resampled_means(values: Array, draws: Draws) -> Array:
    """Means of `values` `(n,)` over the documents of each resample, `(resamples,)`."""
    if not draws.together:
        return draws.sums(values[:, None])[:, 0] / len(values)
    above, below = draws.sums(np.stack([values, np.ones(len(values))], axis=1)).T
    return above / below


def percentiles(values: Array, confidence: float) -> tuple[float, float]:
    """The central interval that holds `confidence` of the values (low, high)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
