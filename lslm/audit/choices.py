"""What was chosen rather than fitted, and on which documents."""

from collections.abc import Iterator

import numpy as np

from lslm.audit.evidence import Case, search_parts
from lslm.audit.findings import Finding


def check(case: Case) -> Iterator[Finding]:
    """Hyperparameters and the number of epochs are chosen on what the search holds back, if there is one."""
    names = search_parts(case.settings.search)
    if not names:
        return
    rows = [part.validation for part in case.evidence.parts if part.name in names]
    chosen_on = case.fingerprints["development"][np.unique(np.concatenate(rows))]
    held = np.isin(chosen_on, case.fingerprints["holdout"]).sum()
    looked_at = "early stopping, hyperparameters"
    n = len(chosen_on)
    if held:
        yield Finding("chosen on", looked_at, n, "leak", f"{held:,} documents of the holdout")
        return
    detail = (
        "documents of the development set, which the folds score too: fold scores are a little "
        "optimistic, the holdout's is not"
    )
    yield Finding("chosen on", looked_at, n, "note", detail)
