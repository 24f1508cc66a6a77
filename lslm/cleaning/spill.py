"""Columns of numbers on disk, appended while documents stream by and read back one at a time."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


class Spill:
    """A folder of columns, one file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)

    def append(self, name: str, values: Array) -> None:
        """Add values to the end of a column."""
        with (self._folder / name).open("ab") as file:
            file.write(np.ascontiguousarray(values).data)

    def column(self, name: str, dtype: DTypeLike) -> Array:
        """A whole column in memory; empty where nothing was appended."""
        path = self._folder / name
        return np.fromfile(path, dtype) if path.exists() else np.zeros(0, dtype)

    def mapped(self, name: str, dtype: DTypeLike, width: int) -> Array:
        """A column of rows left on disk, `(n, width)`."""
        path = self._folder / name
        if not path.exists() or path.stat().st_size == 0:
            return np.zeros((0, width), dtype)
        return np.memmap(path, dtype, mode="r").reshape(-1, width)
