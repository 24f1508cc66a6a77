"""A first look at a person's data: its columns, which of them is the text, which the label."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lslm.corpus import opening, recognition
from lslm.corpus.formats import csv_file, labelled_lines_file, parquet_file
from lslm.corpus.values import as_text, document_text
from lslm.errors import InputError
from lslm.settings import CorpusSettings

ROWS = 5000
"""Rows that are looked at."""
_SAMPLE = 1 << 24
_LABEL_NAMES = ("label", "class", "category", "sentiment", "intent", "target", "stars", "rating")
_MOST_LABELS = 200

_Row = dict[str, Any]


@dataclass(frozen=True)
class Glance:
    """What a look at the first rows found."""

    format: str
    columns: tuple[str, ...]
    text: str
    label: str | None
    n_rows: int
    labels: dict[str, int]
    """Rows by label, the most frequent first."""
    median_words: float
    n_words: int
    """Of all rows that were looked at."""
    summary: str | None = None
    """Column of the summary, where the documents are to be summarized."""
    language_model: bool = False
    """Whether nothing but the text is to be learned."""


def glance(
    path: Path,
    text: str | None = None,
    label: str | None = None,
    summary: str | None = None,
    language_model: bool = False,
) -> Glance:
    """Look at a file or folder; columns that are not named are guessed.

    With a column of summaries, and for a language model, there is no label. InputError where two of
    them are asked for.
    """
    if language_model and (label or summary):
        raise InputError(
            "a language model learns from text alone",
            where="--language-model",
            right="no --label and no --summary",
        )
    column = text or CorpusSettings().text
    kind = _format(path, column, labels_wanted=not (language_model or summary))
    rows = list(itertools.islice(_rows(path, kind, column), ROWS))
    if not rows:
        raise InputError("holds no rows", where=str(path), right="documents")
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    for name in (text, label, summary):
        if name is not None and name not in columns:
            right = f"one of: {', '.join(columns)}"
            raise InputError(f"no column {name!r}", where=str(path), right=right)
    text = text or _longest(rows, columns, label or summary)
    if summary is None and not language_model:
        label = label or _most_like_a_label(rows, columns, text)
    counts = Counter(_cell(row.get(label)) for row in rows) if label else Counter[str]()
    words = [len(_text(row.get(text)).split()) for row in rows]
    named = {name: count for name, count in counts.most_common() if name}
    middle = median(words)
    return Glance(
        kind,
        columns,
        text,
        label,
        len(rows),
        named,
        middle,
        sum(words),
        summary,
        language_model,
    )


def _format(path: Path, column: str, *, labels_wanted: bool) -> str:
    """What `format: auto` takes the file for."""
    if path.is_dir():
        return "folder"
    if not path.is_file():
        raise InputError("no such file or folder", where=str(path))
    known = recognition.by_ending(path) or recognition.by_mark(path)
    if known:
        return known
    return recognition.by_looking(path, opening.encoding_of(path), column, labels_wanted)


def _rows(path: Path, kind: str, text: str) -> Iterator[_Row]:
    if kind == "folder":
        yield from _folder_rows(path)
    elif kind == "parquet":
        yield from _parquet_rows(path)
    elif kind == "csv":
        yield from _csv_rows(opening.head(path, opening.encoding_of(path), _SAMPLE), text)
    elif kind == "jsonl":
        yield from _json_rows(_lines(path))
    else:
        for number, line in enumerate(_lines(path), start=1):
            yield _line_row(number, line, kind)


def _lines(path: Path) -> list[str]:
    """The first lines that are not empty; a line ends as the lines of a corpus do, at a line feed alone."""
    sample = opening.head(path, opening.encoding_of(path), _SAMPLE)
    return [line for line in sample.split("\n") if line.strip()]


def _folder_rows(path: Path) -> Iterator[_Row]:
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
        label = None if file.parent == path else file.parent.name
        try:
            text = opening.head(file, opening.encoding_of(file), _SAMPLE)
        except opening.NotText:
            continue
        yield {"text": text, "label": label}


def _parquet_rows(path: Path) -> Iterator[_Row]:
    with parquet_file.opened(path) as file:
        for batch in file.iter_batches(batch_size=ROWS):
            yield from batch.to_pylist()


def _csv_rows(sample: str, text: str) -> Iterator[_Row]:
    rows = csv_file.sampled(sample, csv_file.sniff(sample, text))
    names = [name.strip() for name in next(rows, [])]
    for cells in rows:
        if len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))


def _json_rows(lines: list[str]) -> Iterator[_Row]:
    import orjson

    for line in lines:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            yield value


def _line_row(number: int, line: str, kind: str) -> _Row:
    if kind == "lines":
        return {"text": line}
    row = labelled_lines_file.split(number, line)
    return {"text": row.text, "label": getattr(row, "label", None)}


def _longest(rows: list[_Row], columns: tuple[str, ...], label: str | None) -> str:
    """The text is what is long."""
    lengths = {c: median(len(_text(row.get(c))) for row in rows) for c in columns if c != label}
    return max(lengths, key=lengths.__getitem__) if lengths else columns[0]


def _most_like_a_label(rows: list[_Row], columns: tuple[str, ...], text: str) -> str | None:
    """A column with a usual name, else the one with the fewest values that still repeat."""
    others = [column for column in columns if column != text]
    named = [c for name in _LABEL_NAMES for c in others if c.lower() == name]
    if named:
        return named[0]
    values = {c: len({_cell(row.get(c)) for row in rows} - {""}) for c in others}
    few = [c for c in others if 2 <= values[c] <= min(_MOST_LABELS, max(2, len(rows) // 5))]
    return min(few, key=values.__getitem__, default=None)


def _text(value: object) -> str:
    try:
        return document_text(value) or ""
    except TypeError:
        return ""


def _cell(value: object) -> str:
    try:
        return as_text(value) or ""
    except TypeError:
        return ""
