"""What did each fitted thing read, by the notes taken while it read?"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lslm.audit.evidence import Case, FittedPart
from lslm.audit.findings import Finding, found
from lslm.settings import Settings
from lslm.training import fitted
from lslm.training.fitted import Fingerprints

_CHECK = "documents read"


def check(case: Case) -> Iterator[Finding]:
    """Every kind's notes against the part's training rows."""
    for part in case.evidence.parts:
        try:
            seen = fitted.load(part.folder)
        except (OSError, ValueError, KeyError) as error:
            yield Finding(_CHECK, part.name, 0, "unproven", f"no notes to read: {error}")
            continue
        for kind in _kinds(case.settings):
            yield _judged(case, part, kind, seen.get(kind))


def _kinds(settings: Settings) -> tuple[str, ...]:
    vectors = () if settings.embedding.method == "none" else ("vectors",)
    language = ("language model",) if settings.pretraining.language_model else ()
    return ("vocabulary", *vectors, *language, "targets")


def _judged(case: Case, part: FittedPart, kind: str, seen: Fingerprints | None) -> Finding:
    looked_at = f"{part.name}: {kind}"
    if seen is None:
        return Finding(_CHECK, looked_at, 0, "unproven", f"nothing was noted for {kind}")
    ours = case.fingerprints["development"]
    foreign = np.setdiff1d(seen, ours[part.training])
    faults = list(_whose(case, foreign, ours[part.validation])) if len(foreign) else []
    return found(_CHECK, looked_at, len(seen), faults)


def _whose(case: Case, foreign: NDArray[np.uint64], validation: Fingerprints) -> Iterator[str]:
    known = {"validation": validation, "holdout": case.fingerprints["holdout"]}
    sides = pl.Series(
        next((name for name, each in known.items() if mark in each), "unknown") for mark in foreign
    )
    for side, n in sorted(sides.value_counts().iter_rows()):
        yield (
            f"read {n:,} documents of the {side} part"
            if side != "unknown"
            else (f"read {n:,} documents that are nowhere in the corpus")
        )
