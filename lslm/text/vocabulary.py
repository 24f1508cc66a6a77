"""Which words a network knows, and their numbers."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PADDING, UNKNOWN = 0, 1
SPECIAL = ("<pad>", "<unk>")
MARK = "<s>"
"""Stands between sentences, where a head wants them told apart; no tokenizer makes it of text."""

Ids = NDArray[np.int32]


class Vocabulary:
    """Words in order; the first two are padding and the unknown word.

    Example:
        >>> Vocabulary(("<pad>", "<unk>", "good")).encode(["good", "grief"])
        array([2, 1], dtype=int32)
    """

    def __init__(self, words: Sequence[str]) -> None:
        if tuple(words[:2]) != SPECIAL:
            raise ValueError(f"a vocabulary begins with {SPECIAL}, not {tuple(words[:2])}")
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    @property
    def mark(self) -> int:
        """Id of the mark between sentences; -1 where the words have none."""
        return self._ids.get(MARK, -1)

    def first(self, n_words: int) -> "Vocabulary":
        """The first words after the special ones, and the mark in any case; 0: all.

        Example:
            >>> Vocabulary(("<pad>", "<unk>", "good", "grief", "<s>")).first(1).words
            ('<pad>', '<unk>', 'good', '<s>')
        """
        end = len(SPECIAL) + n_words
        if not n_words or end >= len(self):
            return self
        return Vocabulary((*self.words[:end], *((MARK,) if self.mark >= end else ())))

    def encode(self, tokens: Sequence[str]) -> Ids:
        """Ids of tokens, int32 `(time,)`; words not known become 1."""
        get = self._ids.get
        return np.fromiter((get(token, UNKNOWN) for token in tokens), np.int32, len(tokens))

    def save(self, path: Path) -> None:
        """Write the words as a JSON list."""
        path.write_text(json.dumps(self.words, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote."""
        return cls(json.loads(path.read_text(encoding="utf-8")))


def cut(ids: Ids, longest: int) -> Ids:
    """Keep the head and the tail of a long document, in equal parts.

    Example:
        >>> cut(np.arange(6, dtype=np.int32), 4).tolist()
        [0, 1, 4, 5]
    """
    if len(ids) <= longest:
        return ids
    tail = longest // 2
    return np.concatenate([ids[: longest - tail], ids[len(ids) - tail :]])
