"""Which documents of different sides, or of the two sides of a fold, are nearly the same?"""

import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lslm.audit.evidence import Case, place
from lslm.audit.findings import Finding, found, some
from lslm.cleaning import near
from lslm.cleaning.fingerprint import folded
from lslm.cleaning.groups import Groups
from lslm.cleaning.spill import Spill

_BATCH = 512
_CHECK = "near duplicates"


def check(case: Case) -> Iterator[Finding]:
    """Sketches of all texts, made anew at the pipeline's threshold and joined across all sides."""
    threshold = case.settings.cleaning.near_duplicates
    if threshold is None:
        wanted = "cleaning.near_duplicates is none: nothing was kept together"
        yield Finding(_CHECK, "all documents", 0, "note", wanted)
        return
    whole = pl.concat([frame.select("source", "row", "text") for frame in case.sides.values()])
    group = _joined(whole["text"], threshold)
    sides = np.repeat(np.arange(3), [frame.height for frame in case.sides.values()])
    for (a, left), (b, right) in combinations(enumerate(case.sides), 2):
        ours, theirs = np.flatnonzero(sides == a), np.flatnonzero(sides == b)
        pairs = _pairs(whole, group, ours, theirs)
        faults = [f"in {left} and {right}: {some(pairs)}"] if pairs else []
        yield found(_CHECK, f"{left}, {right}", len(ours) + len(theirs), faults)
    yield _in_folds(case, whole, group)


def _in_folds(case: Case, whole: pl.DataFrame, group: NDArray[np.int64]) -> Finding:
    across = {
        part.name: _pairs(whole, group, part.training, part.validation)
        for part in case.evidence.parts
    }
    faults = [f"across {name}: {some(pairs)}" for name, pairs in across.items() if pairs]
    looked_at = f"both sides of {len(case.evidence.parts) - 1} cuts of development"
    return found(_CHECK, looked_at, case.development.height, faults)


def _joined(texts: pl.Series, threshold: float) -> NDArray[np.int64]:
    """The group of each text."""
    groups = Groups(len(texts))
    with tempfile.TemporaryDirectory(prefix="lslm-audit-") as folder:
        spill = Spill(Path(folder) / "columns")
        for start in range(0, len(texts), _BATCH):
            compared = [folded(text) for text in texts[start : start + _BATCH]]
            places = np.arange(start, start + len(compared), dtype=np.uint64)
            near.add(spill, compared, places, threshold)
        near.join(spill, groups, np.arange(len(texts)), threshold)
    return groups.first


def _pairs(
    whole: pl.DataFrame,
    group: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> list[str]:
    """The first document of each side, for each group that is on both."""
    _, ours, theirs = np.intersect1d(group[left], group[right], return_indices=True)
    return [
        f"{place(whole, a)} ~ {place(whole, b)}"
        for a, b in zip(left[ours].tolist(), right[theirs].tolist(), strict=True)
    ]
