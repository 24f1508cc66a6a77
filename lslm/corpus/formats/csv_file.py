"""CSV and TSV: the standard reader in strict mode, every cell as the text it is."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lslm.corpus import opening
from lslm.corpus.columns import Columns
from lslm.corpus.records import Malformed, Row
from lslm.errors import InputError

_FIELD_LIMIT = 1 << 24
_SAMPLE = 1 << 18
_SEPARATORS = (",", "\t", ";", "|")


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart."""

    separator: str
    quoted: bool = True
    """False reads quotation marks as text, as raw TSV files want it."""

    def reader(self, lines: Iterator[str]) -> "csv.Reader":  # pyright: ignore[reportAttributeAccessIssue]
        """A strict reader of these lines."""
        csv.field_size_limit(_FIELD_LIMIT)
        quoting = csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE
        return csv.reader(lines, delimiter=self.separator, quoting=quoting, strict=True)


def sniff(sample: str, column: str, separator: str = "auto") -> Dialect:
    """The dialect under which a sample has a column of that name and rows of one length.

    Candidates are `,` tab `;` `|`, and tab without quotation where that fits more rows.

    Example:
        >>> sniff("text;label\\ngood, really;1\\n", "text")
        Dialect(separator=';', quoted=True)
    """
    separators = _SEPARATORS if separator == "auto" else (separator,)
    candidates = [Dialect(name) for name in separators]
    candidates += [Dialect("\t", quoted=False)] if "\t" in separators else []
    return max(candidates, key=lambda dialect: _fitness(sample, dialect, column))


def header(sample: str, dialect: Dialect) -> list[str]:
    """The column names."""
    return next(sampled(sample, dialect), [])


def rows(
    path: Path, columns: Columns, encoding: str, separator: str, advance: opening.Advance
) -> Iterator[Row | Malformed]:
    """Rows of a CSV file; one that is not as long as the header, or badly quoted, is malformed."""
    dialect = sniff(opening.head(path, encoding, _SAMPLE), columns.text, separator)
    with opening.text_lines(path, encoding, "", advance) as lines:
        reader = dialect.reader(lines)
        try:
            names = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            raise InputError(
                f"the header is badly quoted: {error}",
                where=f"{path}:{reader.line_num}",
                right="names of columns, each quoted whole or not at all",
            ) from None
        columns.check(names, str(path))
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Malformed(number, _reason(error, number, reader.line_num), "")
                continue
            if len(cells) == len(names):
                row = columns.row(number, dict(zip(names, cells, strict=True)))
                if row is not None:
                    yield row
            elif cells:
                reason = f"{len(cells)} cells where the header has {len(names)}"
                yield Malformed(number, reason, dialect.separator.join(cells)[:200])


def _reason(error: csv.Error, first: int, last: int) -> str:
    if "unexpected end" in str(error):
        return f"a quotation mark is opened and never closed (lines {first} to {last})"
    return f"badly quoted: {error}"


def _fitness(sample: str, dialect: Dialect, column: str) -> tuple[bool, float, bool, int]:
    found = list(sampled(sample, dialect))
    if not found:
        return (False, 0.0, dialect.quoted, 0)
    width = len(found[0])
    alike = sum(len(cells) == width for cells in found) / len(found)
    named = column in (name.strip() for name in found[0])
    return (named, alike if width > 1 or named else 0.0, dialect.quoted, width)


def sampled(sample: str, dialect: Dialect) -> Iterator[list[str]]:
    """Rows of the sample; an unreadable one counts as a row of no cells, and one that is cut off is left out."""
    reader = dialect.reader(io.StringIO(sample, newline=""))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                return
            yield []
            continue
        if cells:
            yield cells
