"""What was learned from the text outside the corpus: a folder that training parts go on from.

words.json                   the words of the language models, special ones first
forward.npz, backward.npz    a language model a direction
report.json                  the loss of each epoch by direction
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lslm.embeddings.vectors import Floats, WordVectors, of_unit_size
from lslm.pretraining.weights import Reader
from lslm.text.vocabulary import SPECIAL, Vocabulary

_WORDS, _REPORT = "words.json", "report.json"


@dataclass(frozen=True)
class Words:
    """The most frequent outside words, with the vectors that language models read."""

    vocabulary: Vocabulary
    vectors: Floats
    """`(n_words, size)`, zero for the special words."""


@dataclass(frozen=True)
class Outside:
    """The folder, opened."""

    folder: Path
    words: tuple[str, ...]

    @classmethod
    def load(cls, folder: Path) -> "Outside":
        """Open what `save` wrote."""
        return cls(folder, tuple(json.loads((folder / _WORDS).read_text("utf-8"))))

    def reader(self, direction: str) -> Reader:
        """The language model of a direction."""
        return Reader.load(self.folder / f"{direction}.npz")

    def report(self) -> dict[str, list[float]]:
        """The loss of each epoch by direction."""
        return json.loads((self.folder / _REPORT).read_text("utf-8"))


def words_of(vectors: Path, most_words: int) -> Words:
    """The words that language models of outside text know: those of its vectors, the most frequent ones."""
    known = WordVectors.load(vectors)
    scaled = of_unit_size(np.asarray(known.vectors[:most_words]))
    special = np.zeros((len(SPECIAL), scaled.shape[1]), np.float32)
    vocabulary = Vocabulary((*SPECIAL, *known.words[:most_words]))
    return Words(vocabulary, np.concatenate([special, scaled]))


def save(folder: Path, vectors: Path, most_words: int, losses: dict[str, list[float]]) -> None:
    """Write what stands beside the language models, which were learned with these vectors."""
    words = words_of(vectors, most_words).vocabulary.words
    (folder / _WORDS).write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
    (folder / _REPORT).write_text(json.dumps(losses), encoding="utf-8")
