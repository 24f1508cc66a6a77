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


def input_files(
    settings: CorpusSettings, base: Path, *, needs_label: bool = True
) -> Iterator[InputFile]:
    """Every file that is read, with its format and encoding: holdout first, outside last.

    Lines are taken for labelled ones by their first words only where `needs_label`. That holds for outside text
    too: with its labels left on, a document of the corpus would not be known again there.
    """
    parts: tuple[tuple[Part, tuple[Source, ...]], ...] = (
        ("holdout", settings.holdout),
        ("corpus", settings.sources),
        ("outside", settings.outside),
    )
    for part, sources in parts:
        for source in sources:
            found = resolve(source, base)
            _check_labels_file(source, found)
            for path in found:
                yield _described(path, source, part, settings.text, base, needs_label)


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
    for file in input_files(settings, base, needs_label=needs_label):
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
    _check_columns(file, settings)
    if file.source.labels is not None and file.format != "lines":
        raise InputError(
            f"`labels` beside a file that is read as {file.format}",
            where=file.name,
            right="`format: lines`, or no `labels`",
        )
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


def _check_labels_file(source: Source, found: list[Path]) -> None:
    if source.labels is not None and len(found) > 1:
        raise InputError(
            f"{len(found)} files with one file of `labels`",
            where=source.path,
            right="a source for each, with its own `labels`",
        )


def _check_columns(file: InputFile, settings: CorpusSettings) -> None:
    """Files without columns have none of those that are asked for; outside text is not asked for them."""
    if file.format in _TABLES:
        return
    own = file.part != "outside"
    asked = {
        "where": file.source.where,
        "corpus.group": own and settings.group,
        "corpus.time": own and settings.time,
        "corpus.metadata": own and settings.metadata,
    }
    for name, value in asked.items():
        if value:
            raise InputError(
                f"`{name}` asks for a column of a file that is read as {file.format}",
                where=file.name,
                right="csv, jsonl or parquet",
            )


def _check_lines(file: InputFile, needs_label: bool) -> None:
    unlabelled = file.labels is None and file.source.label is None
    if unlabelled and needs_label and file.part != "outside":
        raise InputError(
            "read as plain lines, which carry no labels",
            where=file.name,
            right="`label`, `labels` or another `format` beside its path",
        )


def _described(
    path: Path, source: Source, part: Part, column: str, base: Path, labels_wanted: bool
) -> InputFile:
    root = base / source.path if not source.path.startswith("package:") else path
    kind = source.format if source.format != "auto" else recognition.by_ending(path)
    if kind is None and root.is_dir():
        kind = "folder"
    kind = kind or recognition.by_mark(path)
    if kind == "parquet":
        encoding = opening.BINARY
    elif kind in ("folder", "docstrings"):
        encoding = _of_document(path, source.encoding)
    elif kind == "jsonl":
        encoding = _json_encoding(path, source.encoding)
    else:
        encoding = opening.encoding_of(path, source.encoding)
    if kind is None:
        elsewhere = source.labels is not None or source.label is not None
        wanted = labels_wanted and not elsewhere
        kind = recognition.by_looking(path, encoding, column, wanted)
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


def _of_document(path: Path, wanted: str) -> str:
    """Of one file among the texts of a folder: one that is no text is one rejected row."""
    try:
        return opening.encoding_of(path, wanted)
    except opening.NotText:
        return opening.BINARY


def _json_encoding(path: Path, wanted: str) -> str:
    """JSON is UTF-8: a line that is not is one rejected row, where the file does not say otherwise."""
    found = opening.encoding_of(path, wanted)
    undecided = wanted == "auto" and found in ("latin-1", opening.NEARLY_UTF_8)
    return "utf-8" if undecided else found
