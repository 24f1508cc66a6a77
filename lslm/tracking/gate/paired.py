"""The paired test that the settings ask for."""

from collections.abc import Callable

import numpy as np

from lslm.errors import InputError
from lslm.heads.contract import Array, Comparison, Head
from lslm.settings import GateSettings
from lslm.statistics.significance import bootstrap_p, mcnemar, paired_bootstrap

Test = Callable[[Array, Array], Comparison]
_RESAMPLES, _SEED = 10_000, 0


def paired_test(head: Head, settings: GateSettings) -> Test:
    """From two systems' scores a document, `(n,)` each, to their comparison."""
    if settings.test == "auto":
        return head.compare
    return _mcnemar if settings.test == "mcnemar" else _bootstrap


def _mcnemar(a: Array, b: Array) -> Comparison:
    if not np.isin(np.concatenate([a, b]), (0, 1)).all():
        raise InputError(
            "McNemar's test wants documents that are right or wrong; here they have degrees",
            where="gate.test",
            right="bootstrap or auto",
        )
    difference, low, high = paired_bootstrap(a, b, _RESAMPLES, 0.95, _SEED)
    return Comparison("McNemar, exact", difference, low, high, mcnemar(a, b), len(a))


def _bootstrap(a: Array, b: Array) -> Comparison:
    difference, low, high = paired_bootstrap(a, b, _RESAMPLES, 0.95, _SEED)
    p_value = bootstrap_p(a, b, _RESAMPLES, _SEED)
    return Comparison("paired bootstrap", difference, low, high, p_value, len(a))
