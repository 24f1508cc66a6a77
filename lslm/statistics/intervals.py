"""Bootstrap intervals of a metric (Efron & Tibshirani 1993, chapter 13: the percentile interval)."""

from collections.abc import Callable

import numpy as np

from lslm.statistics.resampling import Array, Resampled, percentiles


def bootstrap(
    metric: Callable[[Array, Array], float],
    truth: Array,
    outputs: Array,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> tuple[float, float, float]:
    """(value, low, high) of a metric over documents drawn with replacement."""
    rng = np.random.default_rng(seed)
    if isinstance(metric, Resampled):
        drawn = metric.resample(truth, outputs, resamples, rng)
    else:
        drawn = np.array([_resampled(metric, truth, outputs, rng) for _ in range(resamples)])
    low, high = percentiles(drawn, confidence)
    return float(metric(truth, outputs)), low, high


def _resampled(
    metric: Callable[[Array, Array], float], truth: Array, outputs: Array, rng: np.random.Generator
) -> float:
    rows = rng.integers(0, len(truth), len(truth))
    return metric(truth[rows], outputs[rows])
