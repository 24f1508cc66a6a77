"""Lines that begin with their label: `LABEL TEXT`, also fastText's `__label__NAME TEXT`."""

from collections.abc import Iterator
from pathlib import Path

from lslm.corpus import opening
from lslm.corpus.records import Malformed, Row

PREFIX = "__label__"
"""What fastText writes before each label."""


def rows(path: Path, encoding: str, advance: opening.Advance) -> Iterator[Row | Malformed]:
    """Lines of a file, split at the first white space."""
    with opening.text_lines(path, encoding, "\n", advance) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield split(number, line)


def split(number: int, line: str) -> Row | Malformed:
    """One line as label and text.

    Example:
        >>> split(1, "__label__good It works .").label
        'good'
    """
    label, *rest = line.split(maxsplit=1)
    text = rest[0].rstrip("\r\n") if rest else ""
    if label.startswith(PREFIX) and text.startswith(PREFIX):
        return Malformed(number, "more than one label", line.strip()[:200])
    return Row(number, text, label.removeprefix(PREFIX) or None)
