"""Rows of a table of words, looked up without reading the whole table."""

from typing import Any

import keras
from keras import ops


def looked_up(table: Any, rows: Any) -> Any:
    """The rows `(..., size)` of a table `(n, size)`, or numbers `(...)` of `(n,)`.

    A variable whose rows are written alone (`lslm.training.optimizers`) is copied by TensorFlow whenever it is
    read as a whole, and `keras.ops.take` reads it so; TensorFlow's variables can be read by rows.
    """
    variable = table.value if isinstance(table, keras.Variable) else table
    if hasattr(variable, "sparse_read"):
        return variable.sparse_read(rows)
    return ops.take(table, rows, axis=0)
