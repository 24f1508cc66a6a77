"""Metrics that know how to be computed on thousands of bootstrap resamples at once.

Drawing n documents with replacement and scoring them is, for a mean, a table of draws; for anything
made from a confusion matrix, one multinomial draw of the matrix's cells. Neither copies the outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_BLOCK = 1 << 22
_FEW = 64


@runtime_checkable
class Resampled(Protocol):
    """A metric with a faster way to its bootstrap distribution than calling it again and again."""

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """The metric itself."""
        ...

    def resample(
        self, truth: Array, outputs: Array, resamples: int, rng: np.random.Generator
    ) -> Array:
        """Its values on that many resamples of the documents, `(resamples,)`."""
        ...


@dataclass(frozen=True)
class Mean:
    """A metric that is the mean of one score a document."""

    scores: Callable[[Array, Array], Array]
    """From (truth, outputs) to `(n,)`."""

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """Mean of the scores."""
        return float(np.mean(self.scores(truth, outputs)))

    def resample(
        self, truth: Array, outputs: Array, resamples: int, rng: np.random.Generator
    ) -> Array:
        """Means of resampled scores."""
        return resampled_means(self.scores(truth, outputs), resamples, rng)


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

    def resample(
        self, truth: Array, outputs: Array, resamples: int, rng: np.random.Generator
    ) -> Array:
        """Ratios of resampled sums: a document brings both its numbers."""
        above, below = self.above(truth, outputs), self.below(truth, outputs)
        n, step = len(above), max(1, _BLOCK // len(above))
        sizes = (min(step, resamples - start) for start in range(0, resamples, step))
        draws = (rng.integers(0, n, size=(size, n), dtype=np.int32) for size in sizes)
        return self.told(
            np.concatenate([above[draw].sum(axis=1) / below[draw].sum(axis=1) for draw in draws])
        )


@dataclass(frozen=True)
class OfConfusion:
    """A metric made from the confusion matrix of argmax predictions."""

    summary: Callable[[Array], Array]
    """From counts `(..., n_labels, n_labels)`, truth before prediction, to values `(...)`."""

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """The summary of the confusion matrix."""
        return float(self.summary(confusion(truth, outputs)))

    def resample(
        self, truth: Array, outputs: Array, resamples: int, rng: np.random.Generator
    ) -> Array:
        """Summaries of resampled confusion matrices."""
        counts = confusion(truth, outputs)
        cells = np.flatnonzero(counts)
        shares = counts.ravel()[cells] / len(truth)
        step = max(1, _BLOCK // counts.size)
        blocks: list[Array] = []
        for start in range(0, resamples, step):
            n = min(step, resamples - start)
            drawn = np.zeros((n, counts.size))
            drawn[:, cells] = rng.multinomial(len(truth), shares, size=n)
            blocks.append(self.summary(drawn.reshape(n, *counts.shape)))
        return np.concatenate(blocks)


def confusion(truth: Array, outputs: Array) -> Array:
    """Counts of (true label, predicted label), `(n_labels, n_labels)`.

    Example:
        >>> confusion(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])).tolist()
        [[1, 0], [1, 1]]
    """
    n_labels = outputs.shape[1]
    cells = truth.astype(np.int64) * n_labels + outputs.argmax(axis=1)
    return np.bincount(cells, minlength=n_labels**2).reshape(n_labels, n_labels)


def resampled_means(values: Array, resamples: int, rng: np.random.Generator) -> Array:
    """Means of `values` drawn with replacement, `(resamples,)`; memory is bounded.

    Where few values are distinct, such as right and wrong, drawing how often each comes up is the same
    in distribution and takes no table of draws.
    """
    n = len(values)
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= _FEW:
        return rng.multinomial(n, counts / n, size=resamples) @ distinct / n
    step = max(1, _BLOCK // n)
    sizes = (min(step, resamples - start) for start in range(0, resamples, step))
    draws = (rng.integers(0, n, size=(size, n), dtype=np.int32) for size in sizes)
    return np.concatenate([values[draw].mean(axis=1) for draw in draws])


def percentiles(values: Array, confidence: float) -> tuple[float, float]:
    """The central interval that holds `confidence` of the values (low, high)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
