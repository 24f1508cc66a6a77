"""Paired tests of two systems on the same documents, from scores a document, `(n,)` each."""

import numpy as np

from lslm.heads.contract import Array, Comparison, Head
from lslm.statistics.resampling import some_together
from lslm.statistics.significance import (
    approximate_randomization,
    bootstrap_p,
    mcnemar,
    paired_bootstrap,
)

_RESAMPLES, _CONFIDENCE, _SEED = 10_000, 0.95, 0


def by_mcnemar(a: Array, b: Array) -> Comparison:
    """McNemar's exact test of right and wrong, with a paired bootstrap interval of the difference."""
    return _comparison("McNemar, exact", a, b, mcnemar(a, b), None)


def by_bootstrap(a: Array, b: Array, groups: Array | None = None) -> Comparison:
    """The paired bootstrap over documents, those of one group together."""
    p_value = bootstrap_p(a, b, _RESAMPLES, _SEED, groups)
    return _comparison("paired bootstrap", a, b, p_value, groups)


def compared(head: Head, a: Array, b: Array, groups: Array | None = None) -> Comparison:
    """The head's own test, which wants documents that are independent.

    Where a group has several, a randomization test exchanges whole groups; on right and wrong, and each
    document by itself, that is McNemar's test.
    """
    if not some_together(groups):
        return head.compare(a, b)
    p_value = approximate_randomization(a, b, _RESAMPLES, _SEED, groups)
    return _comparison("randomization", a, b, p_value, groups)


def _comparison(test: str, a: Array, b: Array, p_value: float, groups: Array | None) -> Comparison:
    difference, low, high = paired_bootstrap(a, b, _RESAMPLES, _CONFIDENCE, _SEED, groups)
    n_groups = len(np.unique(np.asarray(groups))) if some_together(groups) else None
    return Comparison(test, difference, low, high, p_value, len(a), n_groups)
