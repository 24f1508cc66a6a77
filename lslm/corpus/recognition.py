"""Which format a file has: by its ending, and else by looking at its first lines."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import orjson

from lslm.corpus import opening
from lslm.corpus.formats import csv_file, labelled_lines_file
from lslm.errors import InputError

Format = Literal["csv", "jsonl", "parquet", "lines", "labelled-lines", "folder", "docstrings"]

_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PARQUET = b"PAR1"
_SAMPLE = 1 << 16
_FEW_LABELS = 0.1
_ENOUGH_LINES = 20


def by_ending(path: Path) -> Format | None:
    """The format an ending names, `.gz` set aside; None where it names none.

    Example:
        >>> by_ending(Path("a.csv.gz")), by_ending(Path("a.txt"))
        ('csv', None)
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    return _ENDINGS.get(suffixes[-1]) if suffixes else None


def by_mark(path: Path) -> Format | None:
    """`parquet` where the file begins with the mark of Parquet."""
    return "parquet" if opening.beginning(path, len(_PARQUET)) == _PARQUET else None


def by_looking(path: Path, encoding: str, column: str, labels_wanted: bool) -> Format:
    """The format of a file of text whose ending names none.

    In this order: JSON objects; a header with the text column; lines that begin with labels (`of_lines`); plain
    lines.
    """
    sample = opening.head(path, encoding, _SAMPLE)
    lines = [line for line in sample.split("\n") if line.strip()]
    if lines and lines[0].lstrip().startswith("[") and path.name.endswith((".json", ".json.gz")):
        raise InputError("a JSON array", where=str(path), right="one JSON object a line")
    if lines and _is_object(lines[0]):
        return "jsonl"
    dialect = csv_file.sniff(sample, column)
    if column in (name.strip() for name in csv_file.header(sample, dialect)):
        return "csv"
    return of_lines(lines, labels_wanted=labels_wanted)


def of_lines(lines: Sequence[str], *, labels_wanted: bool) -> Literal["lines", "labelled-lines"]:
    """Whether each line begins with a label: with `__label__`, a number, or one of a few words.

    Where nobody wants labels, a name or a number that stands first in each line is text: only `__label__`, and
    few numbers that come again and again, are taken for labels then.

    Example:
        >>> spoken = ["Ann: yes", "Bob: no"] * 20
        >>> of_lines(spoken, labels_wanted=True), of_lines(spoken, labels_wanted=False)
        ('labelled-lines', 'lines')
    """
    firsts = [line.split(maxsplit=1) for line in lines]
    if not firsts or any(len(parts) < 2 for parts in firsts):
        return "lines"
    labels = Counter(parts[0] for parts in firsts)
    marked = all(label.startswith(labelled_lines_file.PREFIX) for label in labels)
    numbers = all(_is_number(label) for label in labels)
    few = len(labels) <= _FEW_LABELS * len(lines) and min(labels.values()) > 1
    few = few and len(lines) >= _ENOUGH_LINES
    found = marked or ((numbers or few) if labels_wanted else (numbers and few))
    return "labelled-lines" if found else "lines"


def _is_object(line: str) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _is_number(label: str) -> bool:
    number = label.lstrip("+-")
    return number.isascii() and number.isdigit()
