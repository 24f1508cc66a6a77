"""Text that a command is given as a file, or on stdin."""

import sys
from collections.abc import Sequence
from pathlib import Path

from lslm.errors import InputError


def text(file: str) -> str:
    """The text of a file, - for stdin, its line ends as they are."""
    if file == "-":
        content = sys.stdin.buffer.read()
    elif not Path(file).exists() or Path(file).is_dir():
        raise InputError("no such file", where=file, right="a text file, or -")
    else:
        content = Path(file).read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", where=file, right="a text file") from None


def argument(text: str) -> str:
    """A text of the command line; InputError where its bytes are no UTF-8, which Python hands on as surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = text.encode(errors="replace").decode()
        raise InputError("not UTF-8 text", where=shown, right="text in UTF-8") from None
    return text


def lines(file: str) -> Sequence[tuple[int, str]]:
    """Lines that are not empty with their numbers, from 1; they end as the lines of a corpus do."""
    # Not `splitlines`, which takes a form feed, for one, for the end of a line.
    every = (line.rstrip("\r") for line in text(file).split("\n"))
    return [(number, line) for number, line in enumerate(every, start=1) if line.strip()]
