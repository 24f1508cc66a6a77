"""All checks of a finished pipeline, in the order in which a leak would arise."""

from lslm import progress
from lslm.audit import choices, examples, files, folds, model, near, readers, sides, words
from lslm.audit.evidence import Case, Evidence
from lslm.audit.findings import Finding

CHECKS = (files, sides, near, folds, words, readers, examples, choices, model)


def examine(evidence: Evidence) -> list[Finding]:
    """What every check found."""
    case = Case(evidence)
    findings: list[Finding] = []
    with progress.bar("Audit", total=len(CHECKS), unit="checks") as shown:
        for module in CHECKS:
            findings += module.check(case)
            shown.advance()
    return findings
