"""Are the files still those that the stages recorded?"""

from collections.abc import Iterator

from lslm.audit.evidence import Case
from lslm.audit.findings import Finding, found
from lslm.workspace import digest


def check(case: Case) -> Iterator[Finding]:
    """Each file and folder has the digest that the stage which made it returned."""
    handles = case.evidence.handles
    changed = [
        f"{handle.path.name} is not what was recorded ({handle.digest[:12]})"
        for handle in handles
        if not handle.path.exists() or digest(handle.path) != handle.digest
    ]
    yield found("recorded digests", "files of all stages", len(handles), changed)
