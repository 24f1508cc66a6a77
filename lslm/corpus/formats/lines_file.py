"""Plain lines: a document a line, with one label for all, or a second file of labels."""

from collections.abc import Iterator
from pathlib import Path

from lslm.corpus import opening
from lslm.corpus.records import Row
from lslm.errors import InputError


def rows(
    path: Path, encoding: str, labels: Path | None, wanted: str, advance: opening.Advance
) -> Iterator[Row]:
    """Lines of a file; blank ones are skipped, but count beside a file of labels.

    `wanted` is the encoding that was asked for, which the labels have as well.
    """
    with opening.text_lines(path, encoding, "\n", advance) as lines:
        if labels is not None:
            yield from _labelled(lines, path, labels, opening.encoding_of(labels, wanted))
            return
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield Row(number, line.rstrip("\r\n"))


def _labelled(lines: Iterator[str], path: Path, labels: Path, encoding: str) -> Iterator[Row]:
    with opening.text_lines(labels, encoding, "\n", _unheard) as names:
        number = 0
        for line in lines:
            label = next(names, None)
            if label is None:
                raise _unequal(path, labels, number + 1 + sum(1 for _ in lines), number)
            number += 1
            yield Row(number, line.rstrip("\r\n"), label.strip() or None)
        more = sum(1 for _ in names)
        if more:
            raise _unequal(path, labels, number, number + more)


def _unequal(path: Path, labels: Path, n_lines: int, n_labels: int) -> InputError:
    return InputError(
        f"{n_lines} lines but {n_labels} labels in {labels}", where=str(path), right="equal numbers"
    )


def _unheard(_: int) -> None:
    pass
