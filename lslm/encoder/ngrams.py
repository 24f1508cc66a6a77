"""A wide part beside the recurrent layers: which words stand next to each other, order kept."""

from typing import Any

import keras
from keras import ops

from lslm.encoder.rows import looked_up

PRIME = 30_011
"""Times a bucket below 2^15 this stays inside int32, in any framework."""


@keras.saving.register_keras_serializable(package="lslm")
class HashedNgrams(keras.layers.Layer):
    """Trained vectors of a document's word n-grams, summed: `(batch, time)` to `(batch, units)`.

    N-grams of 2 to `order` words are hashed into `buckets`, so that the table stays small; a document
    begins after padding, so that its first word alone is an n-gram too. The sum is
    divided by the root of the number of tokens; an empty document gives zeros.
    Cheng et al. 2016 (wide and deep); Joulin et al. 2017, section 2 (hashed bigrams).
    """

    def __init__(self, order: int, buckets: int, units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.order, self.buckets, self.units, self.seed = order, buckets, units, seed

    def build(self, input_shape: Any) -> None:
        """Make the table."""
        self.table = self.add_weight(
            name="table",
            shape=(self.buckets, self.units),
            initializer=keras.initializers.RandomUniform(-0.05, 0.05, seed=self.seed),
            # Sums over a document are taken in float32, also in mixed precision.
            autocast=False,
        )

    def call(self, tokens: Any) -> Any:
        """Hash, look up, and sum where a token ends the n-gram."""
        return ops.cast(summed(tokens, self.table, self.hashed(tokens)), self.compute_dtype)

    def hashed(self, tokens: Any) -> list[Any]:
        """Buckets `(batch, time)` of the n-grams that end at each token, for n from 2 to `order`."""
        value, earlier, found = ops.mod(tokens, self.buckets), tokens, []
        for _ in range(self.order - 1):
            earlier = shifted(earlier)
            value = ops.mod(value * PRIME + earlier, self.buckets)
            found.append(value)
        return found

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, units)`."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {
            "order": self.order,
            "buckets": self.buckets,
            "units": self.units,
            "seed": self.seed,
        }


def shifted(tokens: Any) -> Any:
    """Tokens `(batch, time)` one place to the right, padding in front."""
    return ops.pad(tokens, ((0, 0), (1, 0)))[:, :-1]


def summed(tokens: Any, table: Any, rows: list[Any]) -> Any:
    """Rows of a table, a list of `(batch, time)`, summed where there is a token: `(batch, units)`.

    The sum is divided by the root of the number of tokens; an empty document gives zeros.
    """
    present = ops.cast(ops.not_equal(tokens, 0), table.dtype)
    weights = present / ops.sqrt(ops.maximum(ops.sum(present, axis=1, keepdims=True), 1.0))
    vectors = sum(looked_up(table, each) for each in rows)
    return ops.squeeze(ops.matmul(weights[:, None, :], vectors), 1)
