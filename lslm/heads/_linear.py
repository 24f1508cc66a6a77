"""Layers of the linear model that answers beside a network (`lslm.heads.linear`)."""

from typing import Any

import keras
from keras import ops

from lslm.encoder.ngrams import shifted, summed
from lslm.heads.contract import Documents
from lslm.heads.linear import fit, rows_of

_register = keras.saving.register_keras_serializable(package="lslm")


@_register
class LinearNgrams(keras.layers.Layer):
    """From tokens `(batch, time)` to a score a label, `(batch, n_labels)`; an empty document gets the biases.

    Its weights are fitted as a whole by `learn`, and no gradient changes them.
    """

    def __init__(
        self, n_labels: int, n_words: int, order: int, buckets: int, **kwargs: Any
    ) -> None:
        super().__init__(trainable=False, **kwargs)
        self.n_labels, self.n_words, self.order, self.buckets = n_labels, n_words, order, buckets

    def build(self, input_shape: Any) -> None:
        """Make the table and the biases, all zero."""
        height = self.n_words + self.buckets
        self.table = self.add_weight(
            name="table", shape=(height, self.n_labels), initializer="zeros", autocast=False
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.n_labels,), initializer="zeros", autocast=False
        )

    def learn(self, documents: Documents, longest: int) -> None:
        """Fit it on labelled documents, cut to `longest` tokens."""
        table, bias = fit(documents, longest, self.order, self.n_words, self.buckets, self.n_labels)
        self.table.assign(table)
        self.bias.assign(bias)

    def call(self, tokens: Any) -> Any:
        """Look the n-grams up, and sum where a token ends one."""
        rows = rows_of(tokens, self.order, self.n_words, self.buckets, shifted)
        return summed(tokens, self.table, rows) + self.bias

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, n_labels)`."""
        return (input_shape[0], self.n_labels)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes; the table is a weight."""
        given = super().get_config()
        given.pop("trainable")
        return given | {
            "n_labels": self.n_labels,
            "n_words": self.n_words,
            "order": self.order,
            "buckets": self.buckets,
        }


@_register
class Mixed(keras.layers.Layer):
    """Probabilities `(batch, n_labels)` of the network's scores and the linear model's, of these by `share`.

    The mean of logarithms of probabilities, made to sum to 1 (a logarithmic opinion pool, Genest & Zidek 1986). In
    training the network answers alone: the linear model has seen these documents, and would leave it nothing to
    learn.
    """

    def __init__(self, share: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share = share

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Weigh, add, and take the softmax."""
        network, linear = inputs
        if training:
            return ops.softmax(network)
        return ops.softmax((1 - self.share) * network + self.share * linear)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the scores."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {"share": self.share}
