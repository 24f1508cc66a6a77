"""Which given labels are likely wrong, from out-of-fold probabilities (confident learning)."""

import numpy as np

from lslm.statistics.resampling import Array


def likely_label_errors(probabilities: Array, given: Array) -> Array:
    """Rows whose given class is likely wrong, likeliest first.

    The off-diagonal of the confident joint (Northcutt, Jiang & Chuang 2021, section 3.1): a class is
    claimed where its probability is at least its own mean over the documents that carry it; a row is
    named where the likeliest claimed class is not the given one. Ordered by normalized margin: the
    probability of the given class minus the largest of the others. `probabilities` `(n, n_classes)`
    come from systems that never saw the row; `given` are positions of classes, `(n,)`.

    Example:
        >>> outputs = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.95, 0.05]])
        >>> likely_label_errors(outputs, np.array([0, 0, 1, 1, 1])).tolist()
        [4]
    """
    rows, outputs = np.arange(len(given)), probabilities.astype(np.float64)
    claimed = outputs >= _self_confidence(outputs, given)
    likeliest = np.where(claimed, outputs, -1.0).argmax(axis=1)
    suspected = claimed.any(axis=1) & (likeliest != given)
    others = outputs.copy()
    others[rows, given] = -1.0
    margin = outputs[rows, given] - others.max(axis=1)
    found = np.flatnonzero(suspected)
    return found[np.argsort(margin[found], kind="stable")]


def _self_confidence(outputs: Array, given: Array) -> Array:
    """Mean probability of each class over the rows that carry it, `(n_classes,)`; none: infinite."""
    n = np.bincount(given, minlength=outputs.shape[1])
    own = outputs[np.arange(len(given)), given]
    total = np.bincount(given, weights=own, minlength=outputs.shape[1])
    return np.divide(total, n, out=np.full(len(n), np.inf), where=n > 0)
