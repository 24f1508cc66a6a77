"""The paired test that the settings ask for."""

from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl

from lslm.errors import InputError
from lslm.heads.comparing import by_bootstrap, by_mcnemar, compared
from lslm.heads.contract import Array, Comparison, Head
from lslm.settings import GateSettings

Test = Callable[[Array, Array, Array | None], Comparison]
"""From two systems' scores a document, `(n,)` each, and the documents' groups, if any, to their comparison."""


def paired_test(head: Head, settings: GateSettings) -> Test:
    """The test of the settings; McNemar's, where it is asked for, takes each document of a group by itself."""
    if settings.test == "auto":
        return partial(compared, head)
    return _mcnemar if settings.test == "mcnemar" else by_bootstrap


def _mcnemar(a: Array, b: Array, groups: Array | None = None) -> Comparison:
    if not np.isin(np.concatenate([a, b]), (0, 1)).all():
        raise InputError(
            "McNemar's test wants documents that are right or wrong; here they have degrees",
            where="gate.test",
            right="bootstrap or auto",
        )
    return by_mcnemar(a, b)


def groups_of(documents: pl.DataFrame) -> Array:
    """Number of each document's group, `(n,)`; a frame without groups has as many as documents."""
    if "group" not in documents.columns:
        return np.arange(len(documents))
    return documents["group"].to_numpy()
