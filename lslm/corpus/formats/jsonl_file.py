"""JSON lines: each line parsed apart, so that a broken one is a rejected row and not the end."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import orjson

from lslm.corpus import opening
from lslm.corpus.columns import Columns
from lslm.corpus.records import Malformed, Row
from lslm.errors import InputError

_LOOKED_AT = 100
_Parsed = tuple[int, dict[str, object]] | Malformed


def rows(
    path: Path, columns: Columns, encoding: str, advance: opening.Advance
) -> Iterator[Row | Malformed]:
    """Objects of a JSON-lines file; a column must be among those of the first 100 objects."""
    with _lines(path, encoding, advance) as lines:
        parsed = _parsed(lines)
        first = list(islice(parsed, _LOOKED_AT))
        _check(first, columns, path)
        for item in chain(first, parsed):
            row = item if isinstance(item, Malformed) else columns.row(*item)
            if row is not None:
                yield row


def _lines(path: Path, encoding: str, advance: opening.Advance):  # noqa: ANN202
    if encoding in ("utf-8", "utf-8-sig"):
        return opening.byte_lines(path, advance)
    return opening.text_lines(path, encoding, "\n", advance)


def _parsed(lines: Iterator[bytes] | Iterator[str]) -> Iterator[_Parsed]:
    for number, line in enumerate(lines, start=1):
        content = _without_mark(line) if number == 1 else line
        if not content.strip():
            continue
        try:
            value = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            yield Malformed(number, f"not JSON: {error}", _shown(line))
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield Malformed(number, "not a JSON object", _shown(line))


def _check(first: list[_Parsed], columns: Columns, path: Path) -> None:
    objects = [item[1] for item in first if not isinstance(item, Malformed)]
    if objects:
        columns.check(list(dict.fromkeys(name for item in objects for name in item)), str(path))
    elif first:
        raise InputError(
            "no JSON object in the first lines", where=str(path), right="one JSON object a line"
        )


def _without_mark(line: bytes | str) -> bytes | str:
    return line.removeprefix(b"\xef\xbb\xbf") if isinstance(line, bytes) else line.lstrip("\ufeff")


def _shown(line: bytes | str) -> str:
    return (line[:200].decode(errors="replace") if isinstance(line, bytes) else line[:200]).strip()
