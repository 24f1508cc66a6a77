"""Layers between words, sentences and documents."""

from typing import Any

import keras
from keras import ops

_register = keras.saving.register_keras_serializable(package="lslm")


@_register
class Sentences(keras.layers.Layer):
    """From a grid `(rows, sentences, words)` to its sentences, `(rows * sentences, words)`."""

    def call(self, grid: Any) -> Any:
        """Put the rows behind one another."""
        return ops.reshape(grid, (-1, ops.shape(grid)[2]))

    def compute_output_spec(self, grid: Any) -> keras.KerasTensor:
        """`(None, words)`."""
        return keras.KerasTensor((None, grid.shape[2]), dtype=grid.dtype)


@_register
class Regrouped(keras.layers.Layer):
    """From vectors of sentences `(rows * sentences, units)` and their grid back to rows.

    Returns `(rows, sentences, units)`.
    """

    def call(self, inputs: Any) -> Any:
        """Cut at the rows."""
        vectors, grid = inputs
        rows, high = ops.shape(grid)[:2]
        return ops.reshape(vectors, (rows, high, vectors.shape[-1]))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(rows, sentences, units)`."""
        vectors, grid = input_shape
        return (grid[0], grid[1], vectors[-1])


@_register
class SentenceMask(keras.layers.Layer):
    """From a grid `(rows, sentences, words)` to true where a sentence is, `(rows, sentences)`."""

    def call(self, grid: Any) -> Any:
        """A sentence has a first word."""
        return ops.not_equal(grid[:, :, 0], 0)

    def compute_output_spec(self, grid: Any) -> keras.KerasTensor:
        """`(rows, sentences)`."""
        return keras.KerasTensor(grid.shape[:2], dtype="bool")
