"""What was chosen rather than fitted, and on which documents."""

from collections.abc import Iterator

import numpy as np

from lslm.audit.evidence import Case
from lslm.audit.findings import Finding


def check(case: Case) -> Iterator[Finding]:
    """Hyperparameters and the number of epochs are chosen on the search's validation part."""
    search = next(part for part in case.evidence.parts if part.name == "search")
    ours = case.fingerprints["development"]
    held = np.isin(ours[search.validation], case.fingerprints["holdout"]).sum()
    looked_at = "early stopping, hyperparameters"
    n = len(search.validation)
    if held:
        yield Finding("chosen on", looked_at, n, "leak", f"{held:,} documents of the holdout")
        return
    detail = (
        "documents of the development set, which the folds score too: fold scores are a little "
        "optimistic, the holdout's is not"
    )
    yield Finding("chosen on", looked_at, n, "note", detail)
