"""Is every part a function of its training rows alone? It is fitted again without all others.

The documents held back lose their text and their label, so that nothing can be learned from them.
What is fitted then must be, byte for byte, what was stored. That holds on the same machine.
"""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import polars as pl

from lslm import progress
from lslm.audit.evidence import Case, FittedPart
from lslm.audit.findings import Finding, found
from lslm.pretraining.weights import PART_FILE
from lslm.text.store import FLAT, Rows, Tokens, finish
from lslm.training import workers
from lslm.training.parts import prepare
from lslm.training.workers import InPlace, Workers

_FILES = (
    "vocabulary.json",
    "vectors.npy",
    PART_FILE,
    "targets.json",
    "training.i32",
    "training.i64",
)


def check(case: Case) -> Iterator[Finding]:
    """Fit all parts anew from their training rows and compare the files."""
    with (
        _process(case) as process,
        progress.bar("Fit again", total=len(case.evidence.parts), unit="parts") as shown,
    ):
        for part in case.evidence.parts:
            with tempfile.TemporaryDirectory(prefix="lslm-audit-") as folder:
                made = _fitted(case, part, Path(folder), process)
                differing = [name for name in _FILES if _differs(part.folder / name, made / name)]
            faults = [f"{name} depends on more than the training rows" for name in differing]
            yield found("fitted again", part.name, len(part.training), faults)
            shown.advance()


def _process(case: Case) -> AbstractContextManager[Workers | InPlace]:
    """Where parts are fitted: a language model is the same, bit for bit, on one thread, as it was fitted."""
    return workers.started(1) if case.evidence.language else nullcontext(workers.shared())


def _fitted(case: Case, part: FittedPart, folder: Path, process: Workers | InPlace) -> Path:
    _blank_documents(case.evidence.development, part.training, folder / "documents.parquet")
    _blank_tokens(case.evidence.tokens, part.training, folder / "tokens")
    return process.run(
        prepare,
        documents=folder / "documents.parquet",
        tokens=folder / "tokens",
        rows=(part.training, np.arange(0)),
        outside=case.evidence.vectors,
        embedding=case.settings.embedding,
        head=case.settings.head,
        into=folder / "part",
        language=case.evidence.language,
    )


def _blank_documents(documents: Path, kept: Rows, into: Path) -> None:
    frame = pl.read_parquet(documents).with_row_index("place")
    there = pl.col("place").is_in(kept)
    blanked = [pl.when(there).then(pl.col(name)).alias(name) for name in ("text", "label")]
    frame.with_columns(*blanked).drop("place").write_parquet(into)


def _blank_tokens(tokens: Path, kept: Rows, into: Path) -> None:
    """A store in which the other documents are empty; the numbers of the words stay."""
    store = Tokens(tokens)
    into.mkdir()
    lengths = np.diff(store.offsets)
    blank = np.ones(len(lengths), np.bool_)
    blank[kept] = False
    store.flat[np.repeat(~blank, lengths)].tofile(into / FLAT)
    lengths[blank] = 0
    finish(into, lengths, store.types)


def _differs(stored: Path, made: Path) -> bool:
    if not stored.exists() and not made.exists():
        return False
    return not stored.exists() or not made.exists() or stored.read_bytes() != made.read_bytes()
