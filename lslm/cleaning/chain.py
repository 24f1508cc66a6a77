"""The cleaning stage: from the settings' files to a cleaned corpus on disk, in three passes.

First every document is read, cleaned and spilled, with its hashes in columns beside it. Then the
columns alone say which documents are duplicates and which belong together. Last the shards are
written again without the duplicates and with the groups. No pass holds more than a shard of text.

The folder it writes:

    documents/part-00000.parquet ...  see `lslm.cleaning.shards.DOCUMENTS`
    rejects.parquet                   source, row, step, reason, text (200 characters)
    report.json                       the counts
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lslm import progress
from lslm.cleaning import exact, length, missing, near, normalization, shards
from lslm.cleaning.fingerprint import folded, of_folded
from lslm.cleaning.groups import Groups
from lslm.cleaning.normalization import normalize
from lslm.cleaning.shards import Shards
from lslm.cleaning.spill import Spill
from lslm.cleaning.tally import Rejects, Tally
from lslm.corpus.reading import InputFile, input_files, read_file
from lslm.corpus.records import Broken, Record
from lslm.settings import CleaningSettings, Settings

__all__ = ["clean", "normalize"]

# Characters sketched at once: small enough for the arrays to stay in the processor's cache.
_BATCH = 1 << 17
_LEAKED = "in one group with a document of the given holdout"
_KNOWN = "in one group with a document of the corpus"
_TOGETHER = ("", _LEAKED, _KNOWN)
"""Why a document goes that belongs together with another one; the last is of outside text alone."""


def clean(
    settings: Settings,
    base: Path,
    into: Path,
    *,
    needs_label: bool = True,
    extras: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Clean the corpus of `settings` (paths relative to `base`) into the folder `into`.

    Returns the report, which is also in the folder. Documents of the corpus and the holdout without
    a label are rejected where `needs_label`. `extras` are columns that are kept where they are there.
    """
    files = list(input_files(settings.corpus, base, needs_label=needs_label))
    into.mkdir(parents=True, exist_ok=True)
    rejects = Rejects(into / "rejects.parquet")
    tally = Tally(_step_names(settings.cleaning), rejects)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".spill-") as folder:
        spilled = Path(folder)
        spill = Spill(spilled / "columns")
        sources = _spill(files, settings, spilled / "texts", spill, tally, needs_label, extras)
        verdict = _judge(spill, settings.cleaning)
        _write(spilled / "texts", verdict, into / "documents", tally)
    rejects.close()
    report = {**tally.report(), **verdict.counts(), "sources": sources}
    (into / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
    return report


def _step_names(settings: CleaningSettings) -> tuple[str, ...]:
    changing = (name for name, _ in normalization.steps(settings))
    return ("read", "missing", "label", *changing, "length", "exact_duplicates", "near_duplicates")


# First pass: read, clean, spill.


@dataclass(frozen=True)
class _Cleaned:
    record: Record
    text: str


def _spill(
    files: list[InputFile],
    settings: Settings,
    texts: Path,
    spill: Spill,
    tally: Tally,
    needs_label: bool,
    extras: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Clean every file's documents; returns a line a file for the report."""
    out = Shards(texts)
    sources: list[dict[str, Any]] = []
    with progress.bar("clean", total=sum(file.size for file in files), unit="bytes") as bar:
        for file in files:
            before = tally.n_read
            records = read_file(
                file,
                settings.corpus,
                needs_label=needs_label,
                extras=extras,
                advance=bar.advance,
            )
            kept = _cleaned(records, settings.cleaning, tally, needs_label)
            for batch in _batches(kept):
                _spill_batch(batch, settings, out, spill)
            sources.append(_described(file, tally.n_read - before))
    out.close()
    return sources


def _described(file: InputFile, n_read: int) -> dict[str, Any]:
    described = {"name": file.name, "part": file.part, "format": file.format}
    return {**described, "encoding": file.encoding, "read": n_read}


def _cleaned(
    records: Iterator[Record | Broken], settings: CleaningSettings, tally: Tally, needs_label: bool
) -> Iterator[_Cleaned]:
    chain = normalization.steps(settings)
    for record in records:
        tally.n_read += 1
        if isinstance(record, Broken):
            tally.reject(record.source, record.row, "read", record.reason, record.text)
            continue
        text = record.text or ""
        step, fault = "missing", missing.fault(record.text)
        if fault is None and needs_label and record.label is None and record.part != "outside":
            step, fault = "label", "no label"
        if fault is None:
            text = normalization.apply(text, chain, tally.changed)
            step, fault = "length", length.fault(text, settings)
        if fault is None:
            yield _Cleaned(record, text)
        else:
            tally.reject(record.source, record.row, step, fault, text)


def _batches(documents: Iterator[_Cleaned]) -> Iterator[list[_Cleaned]]:
    batch: list[_Cleaned] = []
    n_characters = 0
    for document in documents:
        batch.append(document)
        n_characters += len(document.text)
        if n_characters >= _BATCH:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch


def _spill_batch(batch: list[_Cleaned], settings: Settings, out: Shards, spill: Spill) -> None:
    records = [document.record for document in batch]
    texts = [document.text for document in batch]
    compared = [folded(text) for text in texts]
    fingerprints = np.array([of_folded(text) for text in compared], np.uint64)
    spill.append("fingerprint", fingerprints)
    spill.append("label", _hashes([record.label for record in records]))
    spill.append("group", _hashes([record.group for record in records]))
    parts = [exact.PARTS.index(record.part) for record in records]
    spill.append("part", np.array(parts, np.uint8))
    if settings.cleaning.near_duplicates is not None:
        near.add(spill, compared, fingerprints, settings.cleaning.near_duplicates)
    columns = {
        "text": texts,
        "label": [record.label for record in records],
        "time": [record.time for record in records],
        "part": [record.part for record in records],
        "source": [record.source for record in records],
        "row": [record.row for record in records],
        "metadata": [_as_json(record.metadata) for record in records],
        "extras": [_as_json(record.extras) for record in records],
        "fingerprint": fingerprints,
    }
    out.add(pa.RecordBatch.from_pydict(columns, schema=shards.SPILLED))


def _as_json(values: Mapping[str, Any]) -> str | None:
    return json.dumps(dict(values), ensure_ascii=False) if values else None


def _hashes(values: list[str | None]) -> NDArray[np.uint64]:
    """A hash a value; 0 for none."""
    return np.array([0 if value is None else of_folded(value) for value in values], np.uint64)


# Second pass: the columns alone.


@dataclass(frozen=True)
class _Verdict:
    """What the columns say about each spilled document."""

    duplicate: NDArray[np.uint8]
    """Index into `exact.REASONS`."""
    together: NDArray[np.uint8]
    """Index into `_TOGETHER`."""
    group: NDArray[np.int64]

    @property
    def kept(self) -> NDArray[np.bool_]:
        return (self.duplicate == 0) & (self.together == 0)

    def counts(self) -> dict[str, int]:
        sizes = np.unique(self.group[self.kept], return_counts=True)[1]
        together = sizes[sizes > 1]
        return {
            "near_duplicate_groups": len(together),
            "near_duplicate_documents": int(together.sum()),
        }


def _judge(spill: Spill, settings: CleaningSettings) -> _Verdict:
    parts = spill.column("part", np.uint8)
    fingerprints = spill.column("fingerprint", np.uint64)
    duplicate = exact.faults(fingerprints, spill.column("label", np.uint64), parts)
    unique = np.flatnonzero(duplicate == 0)
    groups = Groups(len(parts))
    groups.join_equal(fingerprints[unique], unique)
    if settings.near_duplicates is not None:
        near.join(spill, groups, unique, settings.near_duplicates)
    values = spill.column("group", np.uint64)
    named = unique[values[unique] != 0]
    groups.join_equal(values[named], named)
    return _Verdict(duplicate, _together(groups, parts), groups.first)


def _together(groups: Groups, parts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A code of `_TOGETHER` for each document, by the parts that stand in its group."""
    corpus, holdout, outside = (parts == number for number in range(len(exact.PARTS)))
    beside_holdout, beside_corpus = (
        np.isin(groups.first, groups.first[part]) for part in (holdout, corpus)
    )
    code = np.select([beside_holdout & ~holdout, beside_corpus & outside], [1, 2], 0)
    return code.astype(np.uint8)


# Third pass: the shards again.


def _write(texts: Path, verdict: _Verdict, documents: Path, tally: Tally) -> None:
    documents.mkdir()
    names = np.unique(verdict.group[verdict.kept])
    start = 0
    for number, table in enumerate(shards.read(texts)):
        here = slice(start, start + table.num_rows)
        kept = verdict.kept[here]
        _reject(table, verdict.duplicate[here], verdict.together[here], tally)
        rest = table.filter(pa.array(kept))
        group = np.searchsorted(names, verdict.group[here][kept])
        ids = np.arange(tally.n_kept, tally.n_kept + rest.num_rows)
        numbered = rest.append_column("id", pa.array(ids)).append_column("group", pa.array(group))
        shards.write(numbered.select(shards.DOCUMENTS.names), documents, number)
        _count(rest, tally)
        start += table.num_rows


def _reject(
    table: pa.Table, duplicate: NDArray[np.uint8], together: NDArray[np.uint8], tally: Tally
) -> None:
    places = np.flatnonzero((duplicate != 0) | (together != 0))
    shown = ["source", "row", "text"]
    for place, row in zip(places, table.select(shown).take(places).to_pylist(), strict=True):
        code = duplicate[place]
        step = "exact_duplicates" if code else "near_duplicates"
        reason = exact.REASONS[code] if code else _TOGETHER[together[place]]
        tally.reject(row["source"], row["row"], step, reason, row["text"])


def _count(table: pa.Table, tally: Tally) -> None:
    tally.n_kept += table.num_rows
    for column, counter in (("label", tally.labels), ("part", tally.parts)):
        for pair in table.column(column).value_counts().to_pylist():
            if pair["values"] is not None:
                counter[pair["values"]] += pair["counts"]
