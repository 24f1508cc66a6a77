"""What each fitted thing of a part was fitted on, noted where its documents are read.

fitted.json            by kind: number of documents, digest, and the file that lists them
fitted-<digest>.npy    their fingerprints, sorted; kinds that read the same share a file
counts.npy             how often each word of the vocabulary stands in the documents counted
vector-counts.npy      the counts that its vectors were learned with; absent without vectors
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lslm.text.store import Rows, Tokens

FORMAT = 1
FITTED, COUNTS, VECTOR_COUNTS = "fitted.json", "counts.npy", "vector-counts.npy"

Fingerprints = NDArray[np.uint64]


class Watched(Tokens):
    """A token store that remembers which documents were read, whatever was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._read = np.zeros(len(self), np.bool_)

    def document(self, row: int) -> NDArray[np.int32]:
        """Type numbers of one document, `(time,)`; it counts as read."""
        self._read[row] = True
        return super().document(row)

    def taken(self) -> Rows:
        """Rows that were read since the last call."""
        rows = np.flatnonzero(self._read)
        self._read[:] = False
        return rows


class Ledger:
    """Who read which documents."""

    def __init__(self) -> None:
        self._seen: dict[str, Fingerprints] = {}

    def note(self, kind: str, fingerprints: Fingerprints) -> None:
        """A fitted thing of this kind read these documents."""
        self._seen[kind] = np.sort(fingerprints)

    def save(self, folder: Path) -> None:
        """Write the notes into a part's folder."""
        entries: dict[str, dict[str, int | str]] = {}
        for kind, seen in self._seen.items():
            name = digest(seen)
            np.save(folder / _list(name), seen)
            entries[kind] = {"n": len(seen), "digest": name}
        content = {"format": FORMAT, "fitted": entries}
        (folder / FITTED).write_text(json.dumps(content, indent=1), encoding="utf-8")


def load(folder: Path) -> dict[str, Fingerprints]:
    """By kind the documents read; a list that is not what its digest says raises ValueError."""
    content = json.loads((folder / FITTED).read_text("utf-8"))
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']} of {FITTED} is not {FORMAT}")
    seen: dict[str, Fingerprints] = {}
    for kind, entry in content["fitted"].items():
        seen[kind] = np.load(folder / _list(entry["digest"]), allow_pickle=False)
        if digest(seen[kind]) != entry["digest"]:
            raise ValueError(f"the list of documents of {kind} was changed")
    return seen


def digest(fingerprints: Fingerprints) -> str:
    """SHA-256 of sorted fingerprints."""
    return hashlib.sha256(np.sort(fingerprints).tobytes()).hexdigest()


def _list(name: str) -> str:
    return f"fitted-{name[:16]}.npy"
