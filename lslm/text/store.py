"""Tokens of a whole corpus on disk: each document once, read through memory maps.

Tokens are numbered in order of first sight. That numbering knows nothing of splits, and nothing is
learned from it: each training part picks its own vocabulary by counting its own rows.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet

from lslm import progress
from lslm.settings import TextSettings
from lslm.text.pieces import Cutter
from lslm.text.sentences import Sentences
from lslm.text.tokenizers import marked, tokenizer

Rows = NDArray[np.int64]
FLAT = "tokens.i32"
"""The file of a store that has its tokens, as numbers, one document behind the other."""

_BLANK = re.compile(r"\s")
_SPELLED = "\x1f"
"""Begins a token that is spelled out in a line. Blank to Python too: no other token in a line has it."""


class Tokens:
    """An opened store; document i is row i of the Parquet file it was made from."""

    def __init__(self, folder: Path) -> None:
        self.flat: NDArray[np.int32] = _mapped(folder / FLAT, np.int32)
        self.offsets: NDArray[np.int64] = np.fromfile(folder / "offsets.i64", np.int64)
        self.types: list[str] = json.loads((folder / "types.json").read_text(encoding="utf-8"))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def document(self, row: int) -> NDArray[np.int32]:
        """Type numbers of one document, `(time,)`."""
        return self.flat[self.offsets[row] : self.offsets[row + 1]]

    def counts(self, rows: Rows) -> NDArray[np.int64]:
        """How often each type stands in the given documents, `(n_types,)`."""
        total = np.zeros(len(self.types), np.int64)
        for start in range(0, len(rows), 4096):
            block = [self.document(row) for row in rows[start : start + 4096]]
            total += np.bincount(np.concatenate(block), minlength=len(self.types))
        return total

    def lines(self, rows: Rows, longest: int) -> Iterator[str]:
        """Documents as space-separated tokens, in pieces of at most `longest` tokens; see `in_line`."""
        words = [in_line(each) for each in self.types]
        for row in rows:
            document = self.document(row)
            for start in range(0, len(document), longest):
                yield " ".join(words[i] for i in document[start : start + longest])


class InPieces(Tokens):
    """A store whose words are cut into pieces; documents are read from the other one when they are asked for."""

    def __init__(self, store: Tokens, cut: Cutter) -> None:
        numbers: dict[str, int] = {}
        self._store = store
        self._of_type = [
            np.array([numbers.setdefault(piece, len(numbers)) for piece in cut(word)], np.int32)
            for word in store.types
        ]
        self.types = list(numbers)

    def __len__(self) -> int:
        return len(self._store)

    def document(self, row: int) -> NDArray[np.int32]:
        """Numbers of the pieces of one document, `(time,)`."""
        parts = [self._of_type[word] for word in self._store.document(row)]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    def counts(self, rows: Rows) -> NDArray[np.int64]:
        """How often each piece stands in the given documents, `(n_pieces,)`."""
        total = np.zeros(len(self.types), np.int64)
        for word, n in enumerate(self._store.counts(rows)):
            np.add.at(total, self._of_type[word], n)
        return total


def write(
    documents: Path, settings: TextSettings, into: Path, sentences: Sentences | None = None
) -> None:
    """Tokenize the `text` column of a Parquet file into a store at `into`, in shards.

    With `sentences`, each is tokenized alone and a mark stands between them.
    """
    into.mkdir(parents=True, exist_ok=True)
    split = marked(tokenizer(settings), sentences)
    types: dict[str, int] = {}
    lengths: list[int] = []
    file = parquet.ParquetFile(documents)
    with (
        (into / FLAT).open("wb") as out,
        progress.bar("Tokenizing", total=file.metadata.num_rows, unit="documents") as shown,
    ):
        for batch in file.iter_batches(4096, columns=["text"]):
            ids: list[int] = []
            for text in batch.column(0).to_pylist():
                tokens = split(text)
                ids.extend(types.setdefault(token, len(types)) for token in tokens)
                lengths.append(len(tokens))
            np.array(ids, np.int32).tofile(out)
            shown.advance(batch.num_rows)
    finish(into, lengths, list(types))


def finish(into: Path, lengths: Sequence[int] | Rows, types: Sequence[str]) -> None:
    """Write what a store has beside its tokens, which stand in `FLAT`: where documents begin, and the types."""
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    offsets.astype(np.int64).tofile(into / "offsets.i64")
    (into / "types.json").write_text(json.dumps(types, ensure_ascii=False), encoding="utf-8")


def in_line(token: str) -> str:
    """A token as it stands in a line: itself, or its bytes where it has white space in it.

    Example:
        >>> in_line("a"), in_line(" ")
        ('a', '\\x1f20')
    """
    return _SPELLED + token.encode().hex() if _BLANK.search(token) else token


def from_line(word: str) -> str:
    """The token that stands in a line as this word."""
    return bytes.fromhex(word[1:]).decode() if word.startswith(_SPELLED) else word


def _mapped(path: Path, dtype: type[np.int32]) -> NDArray[np.int32]:
    if path.stat().st_size == 0:
        return np.zeros(0, dtype)
    return np.memmap(path, dtype, mode="r")
