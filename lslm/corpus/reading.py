"""All documents of a corpus, one after the other, whatever files they lie in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lslm.cleaning.unicode import compose
from lslm.corpus import opening, recognition
from lslm.corpus.columns import Columns
from lslm.corpus.formats import (
    csv_file,
    docstrings_file,
    document_file,
    jsonl_file,
    labelled_lines_file,
    lines_file,
    parquet_file,
)
from lslm.corpus.records import Broken, Malformed, Part, Record, Row
from lslm.corpus.sources import labels_file, name_of, resolve
from lslm.errors import InputError
from lslm.settings import CorpusSettings, Source

_TABLES = ("csv", "jsonl", "parquet")


@dataclass(frozen=True)
class InputFile:
    """One file of a source, and how it is read."""

    path: Path
    root: Path
    """The source's folder, or the file itself."""
    source: Source
    part: Part
    format: recognition.Format
    encoding: str
    name: str
    """As records name it."""
    labels: Path | None

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size


def input_files(settings: CorpusSettings, base: Path) -> Iterator[InputFile]:
    """Every file that is read, with its format and encoding: holdout first, outside last."""
    parts: tuple[tuple[Part, tuple[Source, ...]], ...] = (
        ("holdout", settings.holdout),
        ("corpus", settings.sources),
        ("outside", settings.outside),
    )
    for part, sources in parts:
        for source in sources:
            for path in resolve(source, base):
                yield _described(path, source, part, settings.text, base)


def read(
    settings: CorpusSettings,
    base: Path,
    *,
    needs_label: bool = True,
    advance: opening.Advance = lambda _: None,
) -> Iterator[Record | Broken]:
    """Stream all documents: the given holdout first, then the corpus, then the outside text.

    Labels are text as written, in NFC. Outside text never has one. A column that is asked for and missing
    raises InputError; the label column is asked for where `needs_label`. `advance` is told the
    bytes read.
    """
    for file in input_files(settings, base):
        yield from read_file(file, settings, needs_label=needs_label, advance=advance)


def read_file(
    file: InputFile,
    settings: CorpusSettings,
    *,
    needs_label: bool = True,
    extras: tuple[str, ...] = (),
    advance: opening.Advance = lambda _: None,
) -> Iterator[Record | Broken]:
    """Stream the documents of one file; `extras` are columns that are kept where they are there."""
    for row in _rows(file, settings, needs_label, extras, advance):
        if isinstance(row, Malformed):
            yield Broken(row.reason, row.text, file.name, row.number, file.part)
        else:
            yield Record(
                row.text,
                _label(file, row),
                row.group,
                row.time,
                file.name,
                row.number,
                file.part,
                row.metadata,
                row.extras,
            )


def _label(file: InputFile, row: Row) -> str | None:
    if file.part == "outside":
        return None
    label = row.label if file.source.label is None else file.source.label
    return None if label is None else compose(label)


def _rows(
    file: InputFile,
    settings: CorpusSettings,
    needs_label: bool,
    extras: tuple[str, ...],
    advance: opening.Advance,
) -> Iterator[Row | Malformed]:
    path, encoding = file.path, file.encoding
    if file.format not in _TABLES and file.source.where:
        raise InputError("`where` without columns", where=file.name, right="csv, jsonl or parquet")
    match file.format:
        case "csv":
            columns = _columns(file, settings, needs_label, extras)
            return csv_file.rows(path, columns, encoding, file.source.separator, advance)
        case "jsonl":
            columns = _columns(file, settings, needs_label, extras)
            return jsonl_file.rows(path, columns, encoding, advance)
        case "parquet":
            return parquet_file.rows(path, _columns(file, settings, needs_label, extras), advance)
        case "labelled-lines":
            return labelled_lines_file.rows(path, encoding, advance)
        case "docstrings":
            return docstrings_file.rows(path, advance)
        case "folder":
            return document_file.rows(path, encoding, file.root, advance)
        case "lines":
            _check_lines(file, needs_label)
            return lines_file.rows(path, encoding, file.labels, file.source.encoding, advance)


def _columns(
    file: InputFile, settings: CorpusSettings, needs_label: bool, extras: tuple[str, ...]
) -> Columns:
    if file.part == "outside":
        return Columns(settings.text, where=file.source.where)
    label = settings.label if needs_label and file.source.label is None else None
    return Columns(
        settings.text,
        label,
        settings.group,
        settings.time,
        settings.metadata,
        file.source.where,
        {name: settings.columns.get(name, name) for name in extras},
        frozenset(settings.columns) & frozenset(extras),
    )


def _check_lines(file: InputFile, needs_label: bool) -> None:
    unlabelled = file.labels is None and file.source.label is None
    if unlabelled and needs_label and file.part != "outside":
        raise InputError(
            "read as plain lines, which carry no labels",
            where=file.name,
            right="`label`, `labels` or another `format` beside its path",
        )


def _described(path: Path, source: Source, part: Part, column: str, base: Path) -> InputFile:
    root = base / source.path if not source.path.startswith("package:") else path
    kind = source.format if source.format != "auto" else recognition.by_ending(path)
    if kind is None and root.is_dir():
        kind = "folder"
    if kind == "parquet":
        encoding = "binary"
    elif kind == "jsonl":
        encoding = _json_encoding(path, source.encoding)
    else:
        encoding = opening.encoding_of(path, source.encoding)
    if kind is None:
        elsewhere = source.labels is not None or source.label is not None
        kind = recognition.by_looking(path, encoding, column, elsewhere)
    return InputFile(
        path,
        root,
        source,
        part,
        kind,
        encoding,
        name_of(path, source, base),
        labels_file(source, base),
    )


def _json_encoding(path: Path, wanted: str) -> str:
    """JSON is UTF-8: a line that is not is one rejected row, where the file does not say otherwise."""
    found = opening.encoding_of(path, wanted)
    undecided = wanted == "auto" and found in ("latin-1", opening.NEARLY_UTF_8)
    return "utf-8" if undecided else found
