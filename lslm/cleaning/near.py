"""Near duplicates by MinHash (Broder 1997) over word 3-grams: grouped, not rejected.

Sketches are made by rensa. Their bands lie on disk and are joined one after the other by sorting, so
that memory holds one band (8 bytes a document) and not an index of all documents. A pair that
shares a band is checked on the whole sketch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lslm.cleaning.groups import Groups
from lslm.cleaning.shingles import mix, shingles
from lslm.cleaning.spill import Spill

SKETCH = 128
"""Hash functions of a sketch; the standard error of a similarity of 0.8 is 0.035."""
_RECALL = 0.98
_PAIRS_AT_ONCE = 1 << 14

Positions = NDArray[np.int64]


def bands(threshold: float) -> tuple[int, int]:
    """How many bands of how many rows: the longest rows that still find 98% of pairs at the threshold.

    A pair of similarity s shares a band with the chance 1 - (1 - s**rows)**bands.

    Example:
        >>> bands(0.8), bands(1.0)
        ((18, 7), (1, 128))
    """
    for rows in range(SKETCH, 0, -1):
        count = SKETCH // rows
        if 1 - (1 - threshold**rows) ** count >= _RECALL:
            return count, rows
    return SKETCH, 1


def add(
    spill: Spill, folded: Sequence[str], fingerprints: NDArray[np.uint64], threshold: float
) -> None:
    """Sketch documents (case-folded texts) and append sketches and bands to the spill."""
    sketches = _sketches(folded, fingerprints)
    spill.append("sketch", sketches.astype(np.uint8))
    count, rows = bands(threshold)
    for band in range(count):
        spill.append(f"band-{band}", _key(sketches[:, band * rows : (band + 1) * rows]))


def join(spill: Spill, groups: Groups, kept: Positions, threshold: float) -> None:
    """Unite the groups of kept documents whose sketches agree in at least `threshold` of places."""
    for band in range(bands(threshold)[0]):
        keys = spill.column(f"band-{band}", np.uint64)[kept]
        left, right = _candidates(keys)
        for start in range(0, len(left), _PAIRS_AT_ONCE):
            some = slice(start, start + _PAIRS_AT_ONCE)
            _join_alike(spill, groups, kept[left[some]], kept[right[some]], threshold)


def _join_alike(
    spill: Spill, groups: Groups, left: Positions, right: Positions, threshold: float
) -> None:
    apart = groups.apart(left, right)
    left, right = left[apart], right[apart]
    # Mapped anew for each block, so that pages once read do not add up.
    sketches = spill.mapped("sketch", np.uint8, SKETCH)
    alike = (sketches[left] == sketches[right]).mean(axis=1) >= threshold
    groups.join(left[alike], right[alike])


def _candidates(keys: NDArray[np.uint64]) -> tuple[Positions, Positions]:
    """Pairs that share a key: each document with the one before it and the first of its bucket."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    again = np.flatnonzero(ranked[1:] == ranked[:-1]) + 1
    opens = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])[: len(keys)])
    first = opens[np.searchsorted(opens, again, side="right") - 1]
    return (
        np.concatenate([order[first], order[again - 1]]),
        np.concatenate([order[again], order[again]]),
    )


def _sketches(folded: Sequence[str], fingerprints: NDArray[np.uint64]) -> NDArray[np.uint32]:
    from rensa import RMinHash

    hashes, bounds = shingles(folded)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        hashes, bounds.astype(np.uint64), num_perm=SKETCH, seed=0
    )
    sketches = np.array(matrix.to_rows(), dtype=np.uint32).reshape(-1, SKETCH)
    wordless = np.diff(bounds) == 0
    # Texts of signs alone share no word; each is only like itself.
    noise = mix(fingerprints[wordless, None] + np.arange(SKETCH, dtype=np.uint64))
    sketches[wordless] = (noise >> np.uint64(32)).astype(np.uint32)
    return sketches


def _key(rows: NDArray[np.uint32]) -> NDArray[np.uint64]:
    weights = mix(np.arange(rows.shape[1], dtype=np.uint64)) | np.uint64(1)
    return mix((rows.astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64))
