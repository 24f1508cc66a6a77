"""Opening a file: gzip or plain, and in which encoding."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, cast

from lslm.errors import InputError

_BLOCK = 1 << 20
_LOOKED_AT = 8000
"""Bytes that show whether a file is text."""
_FEW_ZEROS, _MANY_ZEROS = 0.001, 0.05
"""Shares of zeros among them. A file with more than the first that is not UTF-8 either is no text; one with more
than the second is none, or UTF-16, whose Latin letters, spaces and digits are half zeros."""
_EVERY = 256
_Item = TypeVar("_Item")

Advance = Callable[[int], None]
"""Told how many bytes of the file (as it lies on disk) were read since the last call."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NEARLY_UTF_8 = "utf-8, stray bytes as latin-1"
"""The encoding of a file that is UTF-8 but for a few bytes."""
BINARY = "binary"
"""Told in place of an encoding where a file is no text."""
NO_TEXT = "no text, or UTF-16 without a mark: it has bytes of zero"
"""What is said of such a file."""
_BEYOND_ASCII = re.compile("[^\x00-\x7f\ud800-\udfff]")
_STRAY = re.compile("[\udc80-\udcff]")
_AS_LATIN_1 = "lslm-as-latin-1"


class NotText(InputError):
    """A file of which more than a few bytes are zero, without a byte order mark."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"is {NO_TEXT}",
            where=str(path),
            right="text, or its `encoding`: utf-16-le, or utf-8 where the zeros are slips",
        )


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_AS_LATIN_1, _as_latin_1)


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], BinaryIO]]:
    """The file's content, decompressed where it is gzip, and the raw file below it."""
    with path.open("rb") as raw:
        if raw.peek(2)[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast("IO[bytes]", unpacked), raw
        else:
            yield raw, raw


def encoding_of(path: Path, wanted: str = "auto") -> str:
    """The encoding to read a text file in, decided for the file as a whole.

    `auto`: by the byte order mark; else UTF-8 where every byte of the file allows it, or nearly every one;
    else latin-1. The mark of UTF-8 allows for stray bytes too. Files that are no text raise NotText.
    """
    if wanted != "auto":
        return _known(wanted, path)
    with _damage_told(path), opened(path) as (file, _):
        head = file.read(_LOOKED_AT)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        n_zeros = head.count(0)
        if n_zeros > max(1, _MANY_ZEROS * len(head)):
            raise NotText(path)
        marked = head.startswith(codecs.BOM_UTF8)
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        block = head
        try:
            while block:
                decoder.decode(block)
                block = file.read(_BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            if n_zeros > max(1, _FEW_ZEROS * len(head)):
                raise NotText(path) from None
            return NEARLY_UTF_8 if marked or _nearly_utf_8(path) else "latin-1"
    return "utf-8-sig" if marked else "utf-8"


def _nearly_utf_8(path: Path) -> bool:
    """Whether it has more signs beyond ASCII than bytes that belong to none."""
    n_signs = n_stray = 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with opened(path) as (file, _):
        while block := file.read(_BLOCK):
            text = decoder.decode(block)
            n_signs += _BEYOND_ASCII.subn("", text)[1]
            n_stray += _STRAY.subn("", text)[1]
    return n_signs > n_stray


@contextmanager
def text_lines(
    path: Path, encoding: str, newline: str, advance: Advance
) -> Iterator[Iterator[str]]:
    r"""Lines of a text file with their ends; `newline` as in `open` (`"\n"` splits there alone)."""
    with _damage_told(path), opened(path) as (file, raw):
        try:
            name, errors = _codec(encoding)
            with io.TextIOWrapper(file, name, errors, newline) as lines:
                yield told(lines, raw, advance)
        except UnicodeError as error:
            raise InputError(
                f"not readable as {encoding} ({error})", where=str(path), right="`encoding: auto`"
            ) from None


@contextmanager
def byte_lines(path: Path, advance: Advance) -> Iterator[Iterator[bytes]]:
    """Lines of a file as bytes, with their ends."""
    with _damage_told(path), opened(path) as (file, raw):
        yield told(file, raw, advance)


def told(items: Iterable[_Item], raw: BinaryIO, advance: Advance) -> Iterator[_Item]:
    """The items as they are, telling `advance` how far the raw file was read."""
    before = 0
    for count, item in enumerate(items):
        if count % _EVERY == 0:
            here = raw.tell()
            advance(here - before)
            before = here
        yield item
    advance(raw.tell() - before)


def beginning(path: Path, n_bytes: int) -> bytes:
    """The first bytes of a file's content, or all where there are fewer."""
    with _damage_told(path), opened(path) as (file, _):
        return file.read(n_bytes)


def head(path: Path, encoding: str, limit: int) -> str:
    """The first `limit` characters or so, cut after the last full line."""
    raw = beginning(path, limit)
    name, errors = _codec(encoding, "replace")
    text = codecs.getincrementaldecoder(name)(errors).decode(raw)
    return text if len(raw) < limit or "\n" not in text else text[: text.rindex("\n") + 1]


def _codec(encoding: str, errors: str = "strict") -> tuple[str, str]:
    """The codec of an encoding, and what it does with bytes that it does not know."""
    return ("utf-8-sig", _AS_LATIN_1) if encoding == NEARLY_UTF_8 else (encoding, errors)


def _known(name: str, path: Path) -> str:
    try:
        found = codecs.lookup(name).name
        "".encode(found)  # Other codecs, such as base64, do not make bytes of text.
    except LookupError:
        raise InputError(
            f"no encoding '{name}'",
            where=str(path),
            right="auto, utf-8, utf-16, latin-1, gb18030, ...",
        ) from None
    return "utf-8-sig" if found == "utf-8" else found


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"damaged gzip file ({error})", where=str(path), right="a whole one"
        ) from None
