"""A document a file: the label is the name of the folder it lies in."""

from collections.abc import Iterator
from pathlib import Path

from lslm.corpus import opening
from lslm.corpus.records import Malformed, Row


def rows(
    path: Path, encoding: str, root: Path, advance: opening.Advance
) -> Iterator[Row | Malformed]:
    """The one document of a file below `root`; a file right in `root` has no label."""
    if encoding == opening.BINARY:
        yield Malformed(1, opening.NO_TEXT, "")
        return
    with opening.text_lines(path, encoding, "\n", advance) as lines:
        yield Row(1, "".join(lines), None if path.parent == root else path.parent.name)
