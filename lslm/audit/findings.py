"""What a check found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Result = Literal["ok", "leak", "unproven", "note"]
"""`unproven`: the check could not be made, which is no pass. `note`: a person should know."""

_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One line of the audit."""

    check: str
    looked_at: str
    n: int
    result: Result
    detail: str = ""


def found(check: str, looked_at: str, n: int, faults: Sequence[str]) -> Finding:
    """A leak where there are faults."""
    return Finding(check, looked_at, n, "leak" if faults else "ok", "; ".join(faults))


def passed(findings: Iterable[Finding]) -> bool:
    """Whether nothing leaks and nothing is left unproven."""
    return all(finding.result in ("ok", "note") for finding in findings)


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
