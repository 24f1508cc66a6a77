"""Arrays of one entry a document, where entries may differ in size: in memory and on disk.

Numbers of one shape are plain arrays. Others are one-dimensional arrays of objects, which hold JSON
values or vectors, and are written as JSON: nothing is pickled.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def ragged(entries: Sequence[Any]) -> Array:
    """A one-dimensional array of objects.

    Example:
        >>> ragged([[1], [2, 3]]).shape
        (2,)
    """
    array = np.empty(len(entries), dtype=object)
    for place, entry in enumerate(entries):
        array[place] = entry
    return array


def save(path: Path, array: Array) -> None:
    """Write an array at `path`, which has no suffix yet."""
    if array.dtype == object:
        content = [each.tolist() if isinstance(each, np.ndarray) else each for each in array]
        text = json.dumps(content, ensure_ascii=False)
        path.with_name(f"{path.name}.json").write_text(text, encoding="utf-8")
    else:
        np.save(path.with_name(f"{path.name}.npy"), array)


def load(path: Path) -> Array:
    """Read what `save` wrote; lists of numbers come back as vectors."""
    plain = path.with_name(f"{path.name}.npy")
    if plain.exists():
        return np.load(plain)
    entries = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    return ragged([np.array(e, np.float32) if isinstance(e, list) else e for e in entries])


def mean(arrays: Sequence[Array]) -> Array:
    """The mean of arrays with one entry a document, entry by entry."""
    if arrays[0].dtype == object:
        return ragged([np.mean(entries, axis=0) for entries in zip(*arrays, strict=True)])
    return np.mean(arrays, axis=0)


def equal(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same."""
    if a.dtype == object and b.dtype == object:
        return len(a) == len(b) and all(
            np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y
            for x, y in zip(a, b, strict=True)
        )
    return np.array_equal(a, b)


def finite(array: Array) -> NDArray[np.bool_]:
    """Whether every number of each entry is finite, `(n,)`."""
    if array.dtype == object:
        return np.array([bool(np.isfinite(entry).all()) for entry in array], bool)
    whole: NDArray[np.bool_] = np.isfinite(array.reshape(len(array), -1))
    return np.logical_and.reduce(whole, axis=1)
