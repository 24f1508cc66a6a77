"""Documents cut in three by a count, for a table of scores by length."""

import numpy as np
from numpy.typing import NDArray

from lslm.heads.contract import Array


def thirds(counts: Array, unit: str) -> list[tuple[str, NDArray[np.bool_]]]:
    """Names and rows `(n,)` of three parts of about equal size; those without a document are left out.

    Example:
        >>> [(name, rows.tolist()) for name, rows in thirds(np.array([1, 1, 4]), "tokens")]
        [('at most 1 tokens', [True, True, False]), ('over 1 tokens', [False, False, True])]
    """
    low, high = np.quantile(counts, [1 / 3, 2 / 3], method="lower")
    ways = (
        (f"at most {low} {unit}", counts <= low),
        (f"up to {high} {unit}", (counts > low) & (counts <= high)),
        (f"over {high} {unit}", counts > high),
    )
    return [(name, rows) for name, rows in ways if rows.any()]
