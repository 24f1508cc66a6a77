"""What a language model of one direction has learned, as arrays on disk: data, never a pickle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lslm.embeddings.vectors import Floats

PART_FILE = "recurrent.npz"
"""In the folder of a training part: the weights that the first recurrent layer begins with."""


@dataclass(frozen=True)
class Reader:
    """A language model of one direction, without its vectors of words, which it does not change."""

    recurrent: tuple[Floats, ...]
    """Kernel, recurrent kernel and bias, as the cell of Keras has them."""
    projection: Floats
    """From states to the space of the vectors, `(units, size)`."""
    frequencies: Floats
    """What is added to the logit of each word, `(n_words,)`."""

    def save(self, path: Path) -> None:
        """Write one file."""
        arrays = {f"recurrent_{number}": each for number, each in enumerate(self.recurrent)}
        rest = {"projection": self.projection, "frequencies": self.frequencies}
        np.savez(path, **arrays, **rest)  # pyright: ignore[reportArgumentType]

    @classmethod
    def load(cls, path: Path) -> "Reader":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(
                tuple(kept[f"recurrent_{number}"] for number in range(3)),
                kept["projection"],
                kept["frequencies"],
            )

    def knowing(self, words: Sequence[str], own: Sequence[str], begun: Floats) -> "Reader":
        """The same with the words of another vocabulary, whose new words begin as `begun` says, `(n_words,)`.

        `own` are the words as this one knows them.
        """
        place = {word: number for number, word in enumerate(own)}
        rows = np.array([place.get(word, -1) for word in words])
        frequencies = np.where(rows >= 0, self.frequencies[rows], begun).astype(np.float32)
        return Reader(self.recurrent, self.projection, frequencies)


def save_part(folder: Path, readers: Mapping[str, Reader]) -> None:
    """Write what the first recurrent layer takes over, direction by direction."""
    arrays = [array for reader in readers.values() for array in reader.recurrent]
    named = {f"{number}": array for number, array in enumerate(arrays)}
    np.savez(folder / PART_FILE, **named)  # pyright: ignore[reportArgumentType]


def load_part(folder: Path) -> list[Floats] | None:
    """The weights in the order in which `lslm.encoder.layers.Recurrent` keeps them; None where there are none."""
    path = folder / PART_FILE
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        return [kept[f"{number}"] for number in range(len(kept.files))]
