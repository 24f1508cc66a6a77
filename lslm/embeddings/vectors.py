"""Word vectors as arrays on disk: data, never a pickle."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class WordVectors:
    """Words by falling frequency, with the two tables that skip-gram and CBOW learn."""

    words: list[str]
    counts: NDArray[np.int64]
    """How often each word was seen, `(n_words,)`."""
    vectors: Floats
    """Input vectors, `(n_words, size)`; the ones that networks use."""
    outputs: Floats
    """Output vectors of negative sampling, `(n_words, size)`; needed to go on training."""

    def save(self, folder: Path) -> None:
        """Write the four parts into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "words.json").write_text(
            json.dumps(self.words, ensure_ascii=False), encoding="utf-8"
        )
        np.save(folder / "counts.npy", self.counts)
        np.save(folder / "vectors.npy", self.vectors)
        np.save(folder / "outputs.npy", self.outputs)

    @classmethod
    def load(cls, folder: Path) -> "WordVectors":
        """Open what `save` wrote; the tables are memory-mapped."""
        return cls(
            words=json.loads((folder / "words.json").read_text(encoding="utf-8")),
            counts=np.load(folder / "counts.npy"),
            vectors=np.load(folder / "vectors.npy", mmap_mode="r"),
            outputs=np.load(folder / "outputs.npy", mmap_mode="r"),
        )

    def neighbours(self, word: str, n: int = 5, least: int = 1) -> list[tuple[str, float]]:
        """The nearest words by cosine, nearest first; empty for an unknown word.

        Words seen less than `least` times are left out: their vectors have hardly moved.
        """
        if word not in self.words:
            return []
        norms = np.linalg.norm(self.vectors, axis=1) + 1e-9
        at = self.words.index(word)
        cosines = (self.vectors @ self.vectors[at]) / (norms * norms[at])
        best = [i for i in np.argsort(-cosines) if i != at and self.counts[i] >= least]
        return [(self.words[i], float(cosines[i])) for i in best[:n]]

    def plane(self, n_words: int = 60) -> dict[str, tuple[float, float]]:
        """Where middling frequent words lie on the plane of their two principal components."""
        order = [i for i in np.argsort(-self.counts, kind="stable") if self.words[i].isalpha()]
        chosen = order[50 : 50 + n_words] or order[:n_words]
        rows = self.vectors[chosen].astype(np.float64)
        rows -= rows.mean(axis=0)
        _, _, axes = np.linalg.svd(rows, full_matrices=False)
        at = rows @ axes[:2].T
        return {
            self.words[i]: (round(float(x), 4), round(float(y), 4))
            for i, (x, y) in zip(chosen, at, strict=True)
        }

    def glance(self, n_words: int = 8) -> dict[str, list[str]]:
        """The nearest words of a few middling frequent ones, for a person to look at."""
        order = [self.words[i] for i in np.argsort(-self.counts, kind="stable")]
        middling = order[50:400] or order
        probes = [word for word in middling if len(word) > 3 and word.isalpha()]
        # Rare words have hardly moved; in a small corpus all are rare.
        least = int(min(20, np.median(self.counts)))
        chosen = probes[:: max(1, len(probes) // n_words)][:n_words]
        return {word: [near for near, _ in self.neighbours(word, least=least)] for word in chosen}


def of_unit_size(vectors: Floats) -> Floats:
    """Vectors `(n_words, size)` around zero, their parts of standard deviation 1.

    Networks expect such inputs; vectors of little text share one large mean.
    """
    centred = vectors - vectors.mean(axis=0)
    return (centred / centred.std()).astype(np.float32)
