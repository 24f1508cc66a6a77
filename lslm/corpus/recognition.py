"""Which format a file has: by its ending, and else by looking at its first lines."""

from collections import Counter
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


def by_looking(path: Path, encoding: str, column: str, labels_elsewhere: bool) -> Format:
    """The format of a file whose ending names none.

    In this order: Parquet's mark; JSON objects; a header with the text column; lines that all
    begin with a number, with `__label__` or with one of a few words (labels); plain lines.
    """
    with opening.opened(path) as (file, _):
        if file.read(4) == b"PAR1":
            return "parquet"
    sample = opening.head(path, encoding, _SAMPLE)
    lines = [line for line in sample.split("\n") if line.strip()]
    if lines and lines[0].lstrip().startswith("[") and path.name.endswith((".json", ".json.gz")):
        raise InputError("a JSON array", where=str(path), right="one JSON object a line")
    if lines and _is_object(lines[0]):
        return "jsonl"
    dialect = csv_file.sniff(sample, column)
    if column in (name.strip() for name in csv_file.header(sample, dialect)):
        return "csv"
    return "labelled-lines" if not labels_elsewhere and _begin_with_labels(lines) else "lines"


def _is_object(line: str) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _begin_with_labels(lines: list[str]) -> bool:
    firsts = [line.split(maxsplit=1) for line in lines]
    if not firsts or any(len(parts) < 2 for parts in firsts):
        return False
    labels = Counter(parts[0] for parts in firsts)
    if all(_marked(label) for label in labels):
        return True
    few = len(labels) <= _FEW_LABELS * len(lines)
    return few and len(lines) >= _ENOUGH_LINES and min(labels.values()) > 1


def _marked(label: str) -> bool:
    number = label.lstrip("+-")
    return label.startswith(labelled_lines_file.PREFIX) or (number.isascii() and number.isdigit())
