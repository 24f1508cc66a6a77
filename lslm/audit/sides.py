"""Do development set, holdout and outside text share a document or a group?"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl

from lslm.audit.evidence import Case, place
from lslm.audit.findings import Finding, found, some


def check(case: Case) -> Iterator[Finding]:
    """Numbers, texts and groups, each against each."""
    n = sum(frame.height for frame in case.sides.values())
    yield found("document numbers", "development, holdout, outside", n, list(_twice(case)))
    yield found("recorded fingerprints", "every text, hashed again", n, list(_forged(case)))
    for left, right in combinations(case.sides, 2):
        n = case.sides[left].height + case.sides[right].height
        yield found("exact duplicates", f"{left}, {right}", n, list(_same(case, left, right)))
    yield found(
        "groups",
        "development, holdout",
        case.development.height + case.holdout.height,
        list(_straddling(case)),
    )


def _twice(case: Case) -> Iterator[str]:
    ids = pl.concat([frame["id"] for frame in case.sides.values()])
    again = ids.filter(ids.is_duplicated()).unique().sort()
    if len(again):
        yield f"numbers given to two documents: {some([str(number) for number in again])}"


def _forged(case: Case) -> Iterator[str]:
    for name, frame in case.sides.items():
        rows = np.flatnonzero(case.fingerprints[name] != frame["fingerprint"].to_numpy())
        if len(rows):
            places = some([place(frame, row) for row in rows.tolist()])
            yield f"{name} texts are not those that were fingerprinted: {places}"


def _same(case: Case, left: str, right: str) -> Iterator[str]:
    fingerprints, frames = case.fingerprints, case.sides
    one, other = fingerprints[left], fingerprints[right]
    _, ours, theirs = np.intersect1d(one, other, return_indices=True)
    pairs = [
        f"{place(frames[left], a)} = {place(frames[right], b)}"
        for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)
    ]
    if pairs:
        yield f"{len(pairs):,} documents stand in {left} and {right}: {some(pairs)}"


def _straddling(case: Case) -> Iterator[str]:
    both = np.intersect1d(case.development["group"].to_numpy(), case.holdout["group"].to_numpy())
    if len(both):
        yield f"groups on both sides: {some([str(group) for group in both])}"
