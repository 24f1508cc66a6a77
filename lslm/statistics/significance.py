"""Paired tests: do two systems differ on the same documents by more than chance?"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lslm.statistics.resampling import Array, Draws, percentiles, resampled_means

_BLOCK = 1 << 22
_LEVEL = 0.05
_ROUNDING = 1e-9
"""Differences up to this may be lost digits."""


class Difference(Protocol):
    """What a paired comparison found."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def p_value(self) -> float: ...


def may_be_chance(found: Difference) -> bool:
    """Whether the interval holds 0, or the test says so at 0.05: of few groups an interval is too narrow."""
    return found.low <= 0 <= found.high or found.p_value >= _LEVEL


def mcnemar(a_correct: ArrayLike, b_correct: ArrayLike) -> float:
    """Two-sided p of McNemar's test, exact: do two systems err equally often on the same documents?

    Only documents on which one is right and the other wrong count; under the null hypothesis each of
    them is a fair coin. The exact conditional form, without the mid-p correction (McNemar 1947;
    Fagerland, Lydersen & Laake 2013, equation 2). Arguments are 0/1 or booleans, `(n,)`.

    Example:
        >>> round(mcnemar([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1]), 5)
        0.21875
    """
    from scipy.stats import binomtest

    a, b = _pair(a_correct, b_correct)
    only_a, only_b = int(np.sum(a > b)), int(np.sum(b > a))
    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    resamples: int,
    confidence: float,
    seed: int,
    groups: Array | None = None,
) -> tuple[float, float, float]:
    """Mean of a minus b with its percentile interval: (difference, low, high).

    Documents are drawn with replacement, each with both systems' scores (Efron & Tibshirani 1993,
    chapters 8 and 13), those of one group together. Arguments are scores a document, `(n,)`.

    Example:
        >>> paired_bootstrap([1, 1, 1], [0, 0, 0], resamples=100, confidence=0.95, seed=0)
        (1.0, 1.0, 1.0)
    """
    first, second = _pair(a, b)
    differences = first - second
    means = resampled_means(differences, Draws(resamples, np.random.default_rng(seed), groups))
    return float(differences.mean()), *percentiles(means, confidence)


def bootstrap_p(
    a: ArrayLike, b: ArrayLike, resamples: int, seed: int, groups: Array | None = None
) -> float:
    """Two-sided p that the interval of `paired_bootstrap` implies.

    Twice the share of resamples whose mean difference lies on the other side of zero, the observed one
    counted in (Efron & Tibshirani 1993, chapter 15); documents of one group are drawn together. A few
    that all differ to one side are like as many coins that fall alike, which no resample can tell: of n that
    differ, p is at least 2^(1 - n), which is the exact test's. Arguments are scores a document, `(n,)`.

    Example:
        >>> bootstrap_p([1] * 9, [0] * 9, resamples=99, seed=0), bootstrap_p([1, 1], [0, 0], resamples=99, seed=0)
        (0.02, 0.5)
    """
    first, second = _pair(a, b)
    differences = first - second
    means = resampled_means(differences, Draws(resamples, np.random.default_rng(seed), groups))
    beyond = min(int(np.sum(means <= 0)), int(np.sum(means >= 0)))
    n_differ = int(np.sum(np.abs(_totals(differences, groups)) > _ROUNDING))
    return min(1.0, max(2 * (beyond + 1) / (resamples + 1), 2.0 ** (1 - n_differ)))


def approximate_randomization(
    a: ArrayLike, b: ArrayLike, rounds: int, seed: int, groups: Array | None = None
) -> float:
    """Two-sided p of the approximate randomization test on the difference of means.

    Each round exchanges the two systems' scores on a random half of the documents; p is the share of
    rounds, the observed one counted in, whose difference is at least as large (Noreen 1989, chapter
    2). Documents of one group are exchanged together. Arguments are scores a document, `(n,)`.
    """
    first, second = _pair(a, b)
    differences = _totals(first - second, groups)
    rng, observed, n = np.random.default_rng(seed), abs(differences.sum()), len(differences)
    tolerance = _ROUNDING * max(1.0, float(np.abs(differences).sum()))
    as_large, step = 0, max(1, _BLOCK // n)
    for start in range(0, rounds, step):
        signs = rng.integers(0, 2, size=(min(step, rounds - start), n), dtype=np.int8) * 2.0 - 1.0
        as_large += int(np.sum(np.abs(signs @ differences) >= observed - tolerance))
    return (as_large + 1) / (rounds + 1)


def _totals(differences: NDArray[Any], groups: Array | None) -> NDArray[Any]:
    """Differences summed over each group, `(n_groups,)`; as they are where each document is by itself."""
    if groups is None:
        return differences
    numbers = np.unique(groups, return_inverse=True)[1]
    return np.bincount(numbers, weights=differences)


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or first.size == 0:
        raise ValueError(f"two rows of scores of one length wanted: {first.shape}, {second.shape}")
    return first, second
