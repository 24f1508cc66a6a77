"""Where to stop answering: coverage bought with accuracy (selective classification).

Probabilities are `(n, n_classes)`, truth is positions of the true classes, `(n,)`.
"""

import numpy as np

from lslm.statistics.resampling import Array


def coverage_curve(probabilities: Array, truth: Array) -> tuple[Array, Array, Array]:
    """Thresholds, rising; the share answered at each, and the share of it that is right; `(k,)` each.

    Answered is what is at least as sure as the threshold (El-Yaniv & Wiener 2010, the risk-coverage
    curve). One point a distinct confidence.

    Example:
        >>> given = np.array([[0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
        >>> thresholds, coverage, accuracy = coverage_curve(given, np.array([1, 0, 1]))
        >>> thresholds.tolist(), coverage.round(2).tolist(), accuracy.round(2).tolist()
        ([0.6, 0.7, 0.8], [1.0, 0.67, 0.33], [0.67, 1.0, 1.0])
    """
    sure = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    order = np.argsort(sure, kind="stable")
    thresholds, first = np.unique(sure[order], return_index=True)
    n_answered = len(sure) - first
    # What is right from a place to the end of the order.
    n_right = right[order][::-1].cumsum()[::-1][first]
    return thresholds, n_answered / len(sure), n_right / n_answered


def scope_threshold(probabilities: Array, truth: Array, outside: Array) -> float:
    """The threshold with the best mean of in-scope accuracy and out-of-scope recall; the lowest of equals.

    `outside` are probabilities `(m, n_classes)` for documents of no class, which should stay below it
    (the baseline of Hendrycks & Gimpel 2017). An answer below it counts as wrong in scope.

    Example:
        >>> given = np.array([[0.9, 0.1], [0.3, 0.7]])
        >>> scope_threshold(given, np.array([0, 1]), np.array([[0.6, 0.4], [0.5, 0.5]]))
        0.7
    """
    inside, without = probabilities.max(axis=1), outside.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    thresholds = np.unique(np.concatenate([inside, without, [0.0]]))
    kept_right = right.sum() - np.searchsorted(np.sort(inside[right]), thresholds)
    recall = np.searchsorted(np.sort(without), thresholds) / len(without)
    return float(thresholds[np.argmax(kept_right / len(truth) + recall)])


def threshold_for(probabilities: Array, truth: Array, wanted: float) -> float | None:
    """The lowest threshold whose answers are right as often as wanted; 0 where all may be answered.

    None where no threshold reaches it. It fits the answers it was chosen on a little too well: choose on
    out-of-fold answers, and tell what it does on others.
    """
    thresholds, _, accuracy = coverage_curve(probabilities, truth)
    reached = np.flatnonzero(accuracy >= wanted)
    if not len(reached):
        return None
    return 0.0 if reached[0] == 0 else float(thresholds[reached[0]])
