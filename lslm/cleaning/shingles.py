"""Word 3-grams of many documents as hashes, in array operations over code points."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Positions = NDArray[np.int64]

_SEPARATOR, _WORD, _ALONE = 0, 1, 2
_BASE = 0x9E3779B97F4A7C15


def shingles(texts: Sequence[str]) -> tuple[Hashes, Positions]:
    """Hashes of each text's word 3-grams, and where each text's begin and end, `(n_texts + 1,)`.

    Words are runs of letters and digits; Chinese, Japanese and Korean characters are words of their
    own. A text of one or two words has one shingle, a text of none has none.
    """
    joined = "\n".join(texts)
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    starts, ends = _words(_kinds()[np.minimum(points, 0xFFFF)])
    words = _hashes(points, starts, ends)
    edges = np.cumsum([0, *(len(text) + 1 for text in texts)])
    return _triples(words, np.searchsorted(starts, edges))


def _triples(words: Hashes, bounds: Positions) -> tuple[Hashes, Positions]:
    counts = np.diff(bounds)
    end = np.repeat(bounds[1:], counts)
    index = np.arange(len(words))
    padded = np.concatenate([words, np.zeros(2, np.uint64)])
    second = np.where(index + 1 < end, padded[1 : len(words) + 1], 0).astype(np.uint64)
    third = np.where(index + 2 < end, padded[2 : len(words) + 2], 0).astype(np.uint64)
    whole = (index + 2 < end) | (index == np.repeat(bounds[:-1], counts))
    mixed = mix(mix(mix(words) + second) + third)[whole]
    kept = np.concatenate([[0], np.cumsum(whole)])
    return mixed, kept[bounds]


def mix(values: Hashes) -> Hashes:
    """The finalizer of SplitMix64 (Steele et al. 2014): every bit in changes half the bits out."""
    values = values + np.uint64(_BASE)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _words(kinds: NDArray[np.uint8]) -> tuple[Positions, Positions]:
    """Where words begin and end in a row of kinds."""
    before = np.concatenate([[_SEPARATOR], kinds[:-1]])
    after = np.concatenate([kinds[1:], [_SEPARATOR]])
    alone = kinds == _ALONE
    word = kinds == _WORD
    starts = np.flatnonzero(alone | (word & (before != _WORD)))
    ends = np.flatnonzero(alone | (word & (after != _WORD))) + 1
    return starts, ends


def _hashes(points: NDArray[np.uint32], starts: Positions, ends: Positions) -> Hashes:
    """Polynomial hashes of words: sums of `point * base**place`, moved to place 0 (mod 2**64)."""
    powers, inverses = _powers(1 << max(len(points) - 1, 1).bit_length())
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(points * powers[: len(points)])])
    return (sums[ends] - sums[starts]) * inverses[starts]


@cache
def _powers(count: int) -> tuple[Hashes, Hashes]:
    def row(base: int) -> Hashes:
        factors = np.full(count, base, np.uint64)
        factors[0] = 1
        return np.multiply.accumulate(factors)

    return row(_BASE), row(pow(_BASE, -1, 1 << 64))


@cache
def _kinds() -> NDArray[np.uint8]:
    """The kind of each code point of the basic plane; the last stands for all beyond it."""
    kinds = np.array([chr(point).isalnum() for point in range(0x10000)], dtype=np.uint8)
    for first, last in ((0x2E80, 0x2FFF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7FF)):
        kinds[first : last + 1] = np.where(kinds[first : last + 1] == _WORD, _ALONE, _SEPARATOR)
    for first, last in ((0x300, 0x36F), (0x900, 0xDFF)):
        kinds[first : last + 1] = _WORD
    kinds[0xFFFF] = _ALONE
    return kinds
