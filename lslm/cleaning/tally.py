"""What cleaning did: counts a step, and the rejects with their reasons."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

REJECTS = pa.schema(
    [
        ("source", pa.string()),
        ("row", pa.int64()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("text", pa.string()),
    ]
)
_SHOWN = 200
_SAMPLE_A_REASON = 3
_SAMPLE = 20
_ROWS_AT_ONCE = 10_000


class Rejects:
    """Rejected documents, written as they come; the file is there also when there are none."""

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(path, REJECTS, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._reasons: Counter[str] = Counter()
        self.sample: list[dict[str, Any]] = []
        """At most 20, at most 3 a reason."""

    def add(self, source: str, row: int, step: str, reason: str, text: str | None) -> None:
        """Note a rejected document; its text is cut to 200 characters."""
        shown = (text or "")[:_SHOWN].encode(errors="replace").decode()
        reject = {"source": source, "row": row, "step": step, "reason": reason, "text": shown}
        self._reasons[reason] += 1
        if self._reasons[reason] <= _SAMPLE_A_REASON and len(self.sample) < _SAMPLE:
            self.sample.append(reject)
        self._rows.append(reject)
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._write()

    def close(self) -> None:
        """Write what is left."""
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=REJECTS))
            self._rows.clear()


@dataclass
class Tally:
    """Running counts."""

    steps: tuple[str, ...]
    """Names of all steps in their order."""
    rejects: Rejects
    n_read: int = 0
    n_kept: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)

    def reject(self, source: str, row: int, step: str, reason: str, text: str | None) -> None:
        """Count and note a rejected document."""
        self.rejected[step] += 1
        self.reasons[reason] += 1
        self.rejects.add(source, row, step, reason, text)

    def report(self) -> dict[str, Any]:
        """The counts as JSON."""
        return {
            "read": self.n_read,
            "kept": self.n_kept,
            "parts": dict(sorted(self.parts.items())),
            "labels": dict(sorted(self.labels.items())),
            "steps": {
                step: {"changed": self.changed[step], "rejected": self.rejected[step]}
                for step in self.steps
            },
            "reasons": dict(sorted(self.reasons.items())),
            "rejects": self.rejects.sample,
        }
