"""Does each cut of the development set keep its two sides apart?"""

from collections.abc import Iterator

import numpy as np

from lslm.audit.evidence import Case, FittedPart
from lslm.audit.findings import Finding, found, some
from lslm.corpus import moments


def check(case: Case) -> Iterator[Finding]:
    """Rows, groups and moments of every fold and of the search's validation part."""
    for part in case.evidence.parts:
        if part.name != "final":
            n = len(part.training) + len(part.validation)
            yield found("rows held back", part.name, n, list(_faults(case, part)))
    yield from _inside(case)
    yield found("folds cover", "validation rows", case.development.height, list(_cover(case)))


def _faults(case: Case, part: FittedPart) -> Iterator[str]:
    both = np.intersect1d(part.training, part.validation)
    if len(both):
        yield f"rows trained on and held back: {some([str(row) for row in both])}"
    group = case.development["group"].to_numpy()
    straddling = np.intersect1d(group[part.training], group[part.validation])
    if len(straddling):
        yield f"groups on both sides: {some([str(each) for each in straddling])}"
    if _timed(case):
        when = moments.ordered(case.development["time"]).to_numpy()
        if when[part.training].max() > when[part.validation].max():
            yield "trained on documents later than all that were held back"


def _inside(case: Case) -> Iterator[Finding]:
    """A search inside a fold sees nothing of what the fold holds back, on neither of its sides."""
    outer = {part.name: part for part in case.evidence.parts}
    for part in case.evidence.parts:
        if part.outer is not None:
            seen = np.concatenate([part.training, part.validation])
            held = np.intersect1d(seen, outer[part.outer].validation)
            rows = some([str(row) for row in held])
            faults = [f"rows that {part.outer} holds back: {rows}"] if len(held) else []
            yield found("rows inside a fold", part.name, len(seen), faults)


def _cover(case: Case) -> Iterator[str]:
    held = [part.validation for part in case.evidence.parts if part.is_fold]
    times = np.bincount(np.concatenate(held), minlength=case.development.height)
    if (again := int((times > 1).sum())) > 0:
        yield f"{again:,} documents are held back by two folds"
    # In time the first span is only ever trained on.
    if not _timed(case) and (never := int((times == 0).sum())) > 0:
        yield f"{never:,} documents are held back by no fold"


def _timed(case: Case) -> bool:
    return case.development["time"].null_count() == 0
