"""Are label sets, training examples and the rows that were scored those of the part?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lslm import heads
from lslm.audit.evidence import Case, FittedPart
from lslm.audit.findings import Finding, found
from lslm.errors import InputError
from lslm.evaluation import answers
from lslm.heads import ragged
from lslm.text.store import Rows
from lslm.training import fitted
from lslm.training.parts import Examples, Part, as_read


def check(case: Case) -> Iterator[Finding]:
    """What networks were given is made again from the documents and compared."""
    for part in case.evidence.parts:
        try:
            opened = Part(part.folder)
            yield found(
                "targets", part.name, len(part.training), list(_targets(case, part, opened))
            )
            yield _given(case, part, opened, "training")
            if len(part.validation):
                yield _given(case, part, opened, "validation")
        except (OSError, ValueError, KeyError) as error:
            yield Finding("examples", part.name, 0, "unproven", f"not readable: {error}")
    folds = [part for part in case.evidence.parts if part.is_fold]
    for part, folder in zip(folds, case.evidence.answers, strict=True):
        yield _scored(case, part, folder, part.name)
    if case.evidence.nested:
        for part, folder in zip(folds, case.evidence.nested, strict=True):
            yield _scored(case, part, folder, f"{part.name}, nested")


def _scored(case: Case, part: FittedPart, folder: Path, looked_at: str) -> Finding:
    faults = list(_reported(case, part, answers.load(folder).part))
    return found("rows scored", looked_at, len(part.validation), faults)


def _targets(case: Case, part: FittedPart, opened: Part) -> Iterator[str]:
    head = case.settings.head
    kind = heads.get(head.kind)
    if kind.fit_targets(case.development[part.training], heads.options(head)) != opened.targets:
        yield f"fitted anew on the training rows they differ from {_short(opened.targets)}"


def _given(case: Case, part: FittedPart, opened: Part, side: str) -> Finding:
    """The examples in the part's files, against those of the rows."""
    rows: Rows = part.training if side == "training" else part.validation
    examples: Examples = opened.training if side == "training" else opened.validation
    faults = list(_other(case, rows, examples, opened))
    return found("examples", f"{part.name}: {side}", len(examples), faults)


def _other(case: Case, rows: Rows, examples: Examples, opened: Part) -> Iterator[str]:
    if len(examples) != len(rows):
        yield f"{len(examples):,} examples for {len(rows):,} rows"
        return
    tokens = as_read(case.tokens, case.settings.head, opened.targets)
    ids = opened.vocabulary.encode(tokens.types)
    longest = np.iinfo(np.int32).max
    wrong = [
        number
        for number, row in enumerate(rows)
        if not np.array_equal(examples.document(number, longest), ids[tokens.document(row)])
    ]
    if wrong:
        yield f"{len(wrong):,} examples are not the documents of their rows"
    kind = heads.get(case.settings.head.kind)
    try:
        targets = kind.encode_targets(case.development[rows], opened.targets)
    except InputError as error:
        yield f"targets do not fit the documents: {error}"
        return
    if not ragged.equal(targets, examples.targets):
        yield "targets are not those of the documents"


def _reported(case: Case, part: FittedPart, report: Any) -> Iterator[str]:
    """The answers carry the digests of the rows behind them."""
    ours = case.fingerprints["development"]
    for side, rows in (("training", part.training), ("validation", part.validation)):
        if report[side]["digest"] != fitted.digest(ours[rows]):
            yield f"answers were made with other {side} rows"


def _short(targets: dict[str, Any]) -> str:
    text = str(targets)
    return text if len(text) <= 120 else f"{text[:120]}..."
