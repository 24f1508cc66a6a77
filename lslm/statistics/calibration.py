"""Are probabilities what they say, and how to make them so: reliability, its error, temperature scaling.

Probabilities are `(n, n_classes)`, truth is positions of the true classes, `(n,)`. The confidence of an
answer is the probability of the likeliest class.
"""

from dataclasses import dataclass

import numpy as np

from lslm.statistics.resampling import Array, Draws

N_BINS = 15
"""Of Guo et al. 2017."""
_LEAST = 1e-30
"""Keeps the loss of a class that was given no chance finite."""
_TEMPERATURES = (0.05, 20.0)
"""Searched between these: far wider than what networks need."""


@dataclass(frozen=True)
class Bin:
    """Answers of about one confidence."""

    n: int
    low: float
    """The smallest confidence in it."""
    high: float
    confidence: float
    """Mean."""
    accuracy: float
    """Share that is right; what `confidence` should be."""


def reliability(probabilities: Array, truth: Array, n_bins: int = N_BINS) -> tuple[Bin, ...]:
    """The reliability diagram as bins of about equal size, by rising confidence.

    Equal sizes, since most answers of a network crowd near 1 (Nguyen & O'Connor 2015, section 4).
    Equal confidences share a bin, so there can be fewer.
    """
    sure, right = _answers(probabilities, truth)
    inside = _bins(sure, n_bins)
    rows = [np.flatnonzero(inside == number) for number in np.unique(inside)]
    return tuple(
        Bin(
            n=len(each),
            low=float(sure[each].min()),
            high=float(sure[each].max()),
            confidence=float(sure[each].mean()),
            accuracy=float(right[each].mean()),
        )
        for each in rows
    )


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error, a metric that knows its bootstrap distribution.

    The mean distance of accuracy and confidence over the bins of `reliability`, each counting by its
    size (Guo, Pleiss, Sun & Weinberger 2017, equation 3). It is above 0 also where probabilities are
    right: see `by_chance`.

    Example:
        >>> given = np.array([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
        >>> round(CalibrationError(n_bins=2)(np.array([0, 1, 0, 0]), given), 6)
        0.1
    """

    n_bins: int = N_BINS

    def __call__(self, truth: Array, outputs: Array, /) -> float:
        """The error itself."""
        sure, right = _answers(outputs, truth)
        return _error(_bins(sure, self.n_bins), right - sure)

    def resample(self, truth: Array, outputs: Array, draws: Draws) -> Array:
        """Its values on the draws, `(resamples,)`, the bins held fixed, less what drawing adds to them.

        Drawn are right and wrong answers of each bin; a confidence is taken as its bin's mean. A draw has the
        chance of the sample and its own, and an error grows with either: without the correction (Efron &
        Tibshirani 1993, section 10.2) an interval can lie above the error itself.
        """
        sure, right = _answers(outputs, truth)
        numbers, inside = np.unique(_bins(sure, self.n_bins), return_inverse=True)
        confidences = np.bincount(inside, weights=sure) / np.bincount(inside)
        blocks = draws.counts(inside * 2 + (right > 0), 2 * len(numbers))
        drawn = np.concatenate([block.reshape(-1, len(numbers), 2) for block in blocks])
        gaps = drawn[:, :, 1] - drawn.sum(axis=2) * confidences
        errors = np.abs(gaps).sum(axis=1) / drawn.sum(axis=(1, 2))
        return np.maximum(errors - (errors.mean() - self(truth, outputs)), 0.0)


expected_calibration_error = CalibrationError()
"""With the usual 15 bins."""


def by_chance(probabilities: Array, draws: int, seed: int, n_bins: int = N_BINS) -> float:
    """The mean calibration error that these probabilities would show if they were exactly right.

    Right and wrong are drawn as the confidences say, again and again (consistency resampling, Bröcker &
    Smith 2007). An error near it is no sign of bad calibration.
    """
    sure = probabilities.max(axis=1).astype(np.float64)
    inside, rng = _bins(sure, n_bins), np.random.default_rng(seed)
    return float(
        np.mean([_error(inside, (rng.random(len(sure)) < sure) - sure) for _ in range(draws)])
    )


def fit_temperature(probabilities: Array, truth: Array) -> float:
    """The temperature under which the truth is likeliest (Guo et al. 2017, section 4.2).

    Above 1 the probabilities were too sure, below 1 too shy. 1.0 where every answer is right: nothing
    then says how sure is too sure.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    if np.all(probabilities.argmax(axis=1) == truth):
        return 1.0
    logarithms = _logarithms(probabilities)
    given = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    true = np.log(np.maximum(given, _LEAST))

    def loss(exponent: float) -> float:
        sharpness = np.exp(-exponent)
        return float(np.mean(logsumexp(logarithms * sharpness, axis=1) - true * sharpness))

    found = minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))


def scale(probabilities: Array, temperature: float) -> Array:
    """Probabilities at a temperature: softmax of their logarithms over it, of the same type and shape.

    The order of the classes stays, and so does a probability of 0. `scale(scale(p, t), 1 / t)` is p.

    Example:
        >>> scale(np.array([[0.9, 0.1]]), 2.0).round(3).tolist()
        [[0.75, 0.25]]
    """
    divided = _logarithms(probabilities) / temperature
    powers = np.exp(divided - divided.max(axis=1, keepdims=True, initial=-np.inf))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(probabilities.dtype)


def _answers(probabilities: Array, truth: Array) -> tuple[Array, Array]:
    """Confidence of each answer, and 1.0 where it is right; `(n,)` each."""
    right = probabilities.argmax(axis=1) == truth
    return probabilities.max(axis=1).astype(np.float64), right.astype(np.float64)


def _bins(confidences: Array, n_bins: int) -> Array:
    """The number of each answer's bin, `(n,)`: cut at quantiles, equal confidences together."""
    cuts = np.unique(np.quantile(confidences, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.searchsorted(cuts, confidences)


def _error(inside: Array, gaps: Array) -> float:
    return float(np.abs(np.bincount(inside, weights=gaps)).sum() / len(gaps))


def _logarithms(probabilities: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(probabilities.astype(np.float64))
