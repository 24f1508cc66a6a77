"""Bootstrap intervals of a metric (Efron & Tibshirani 1993, chapter 13: the percentile interval)."""

from collections.abc import Callable

import numpy as np

from lslm.statistics.resampling import Array, Draws, Resampled, percentiles


def bootstrap(
    metric: Callable[[Array, Array], float],
    truth: Array,
    outputs: Array,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    groups: Array | None = None,
) -> tuple[float, float, float]:
    """(value, low, high) of a metric over documents drawn with replacement, those of one group together."""
    draws = Draws(resamples, np.random.default_rng(seed), groups)
    if isinstance(metric, Resampled):
        drawn = metric.resample(truth, outputs, draws)
    else:
        drawn = np.array([metric(truth[rows], outputs[rows]) for rows in draws.rows(len(truth))])
    low, high = percentiles(drawn, confidence)
    return float(metric(truth, outputs)), low, high
