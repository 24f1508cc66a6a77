"""The encoder's own layers. Masks travel as plain tensors `(batch, time)`, true where a token is.

Documents are padded on the right. No layer sets Keras's implicit mask: with one, the recurrent layers
of Keras leave the fast path on a CPU, and refuse an empty document on a GPU.
"""

from typing import Any, Literal

import keras
from keras import ops

from lslm.encoder.precision import lowest
from lslm.encoder.rows import looked_up

_register = keras.saving.register_keras_serializable(package="lslm")

FIRST_WORD = 2
"""Id of the first word, after padding and the unknown word."""

_BUCKETS = 1024


@_register
class TokenMask(keras.layers.Layer):
    """From tokens `(batch, time)` to true where a token is, false where padding is."""

    def call(self, tokens: Any) -> Any:
        """Compare with the padding's id."""
        return ops.not_equal(tokens, 0)

    def compute_output_spec(self, tokens: Any) -> keras.KerasTensor:
        """Keep the shape."""
        return keras.KerasTensor(tokens.shape, dtype="bool")


@_register
class WordEmbedding(keras.layers.Layer):
    """Vectors of words, from tokens `(batch, time)` to `(batch, time, size)`.

    Pretrained vectors are frozen. Of the `tuned_words` first words, which are the most frequent, a
    trained difference is added: the optimizer then touches these rows only, where a trained table of
    the whole vocabulary would take most of a step. Without pretrained vectors the whole table is trained.
    """

    def __init__(
        self,
        n_words: int,
        size: int,
        pretrained: bool,
        tuned_words: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.n_words, self.size, self.pretrained, self.seed = n_words, size, pretrained, seed
        self.tuned_words = max(0, min(tuned_words, n_words - FIRST_WORD)) if pretrained else 0

    def build(self, input_shape: Any) -> None:
        """Make the table, and the differences where words are tuned."""
        small = keras.initializers.RandomUniform(-0.05, 0.05, seed=self.seed)
        self.table = self.add_weight(
            name="table",
            shape=(self.n_words, self.size),
            initializer="zeros" if self.pretrained else small,
            trainable=not self.pretrained,
            # In mixed precision what is looked up is cast, not the whole table at each step.
            autocast=False,
        )
        if self.tuned_words:
            self.difference = self.add_weight(
                name="difference",
                shape=(self.tuned_words, self.size),
                initializer="zeros",
                autocast=False,
            )

    def call(self, tokens: Any) -> Any:
        """Look the words up."""
        vectors = looked_up(self.table, tokens)
        if not self.tuned_words:
            return ops.cast(vectors, self.compute_dtype)
        row = tokens - FIRST_WORD
        tuned = ops.logical_and(row >= 0, row < self.tuned_words)
        change = looked_up(self.difference, ops.where(tuned, row, 0))
        changed = vectors + change * ops.cast(tuned, change.dtype)[..., None]
        return ops.cast(changed, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, time, size)`."""
        return (*input_shape, self.size)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes; the vectors themselves are weights."""
        return super().get_config() | {
            "n_words": self.n_words,
            "size": self.size,
            "pretrained": self.pretrained,
            "tuned_words": self.tuned_words,
            "seed": self.seed,
        }


@_register
class WordDropout(keras.layers.Layer):
    """Drop whole words in training: a word dropped in a document is dropped wherever it stands there.

    Takes vectors `(batch, time, size)` and tokens `(batch, time)`. Gal & Ghahramani 2016, section 4.2;
    words share 1,024 draws a document, so that the cost does not grow with the vocabulary.
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed
        self.generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Scale what is kept, so that the mean stays."""
        vectors, tokens = inputs
        if not training or self.rate == 0:
            return vectors
        draws = keras.random.uniform((ops.shape(tokens)[0], _BUCKETS), seed=self.generator)
        kept = ops.take_along_axis(draws, ops.mod(tokens, _BUCKETS), axis=1) >= self.rate
        return vectors * (ops.cast(kept, vectors.dtype) / (1 - self.rate))[..., None]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the vectors."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {"rate": self.rate, "seed": self.seed}


@_register
class Recurrent(keras.layers.Layer):
    """An LSTM or GRU over states `(batch, time, features)` and their mask, in one direction or both.

    Returns `(batch, time, units)`, twice the units for both directions, and zeros at padding. Both
    directions run without a mask: padding on the right cannot reach earlier states, and the backward
    direction reads each document reversed within its own length. Timed in docs/serving.md.
    """

    def __init__(
        self,
        units: int,
        cell: Literal["lstm", "gru"] = "lstm",
        bidirectional: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.cell, self.bidirectional, self.seed = units, cell, bidirectional, seed
        self.forward = self._direction("forward", seed)
        self.backward = self._direction("backward", seed + 1) if bidirectional else None

    def _direction(self, name: str, seed: int) -> keras.layers.Layer:
        kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[self.cell]
        return kind(
            self.units,
            return_sequences=True,
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed),
            seed=seed,
            name=name,
            dtype=self.dtype_policy,
        )

    def build(self, input_shape: Any) -> None:
        """Build each direction."""
        self.forward.build(input_shape[0])
        if self.backward is not None:
            self.backward.build(input_shape[0])

    def call(self, inputs: Any) -> Any:
        """Run each direction and put padding to zero."""
        states, mask = inputs
        outputs = self.forward(states)
        if self.backward is not None:
            rows = _reversal(mask)
            backward = _gather(self.backward(_gather(states, rows)), rows)
            outputs = ops.concatenate([outputs, backward], axis=-1)
        return outputs * ops.cast(mask, outputs.dtype)[..., None]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, time, units)` of all directions."""
        return (*input_shape[0][:2], self.units * (1 + self.bidirectional))

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {
            "units": self.units,
            "cell": self.cell,
            "bidirectional": self.bidirectional,
            "seed": self.seed,
        }


@_register
class AttentionPooling(keras.layers.Layer):
    """The mean of states weighted by a learned attention, and the weights themselves.

    Takes states `(batch, time, features)` and their mask, returns `(batch, features)` and
    `(batch, time)`; weights sum to 1, in an empty document to 0. Zhou et al. 2016, equations 9 to 11.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Make the query."""
        self.query = self.add_weight(
            name="query",
            shape=(input_shape[0][-1], 1),
            initializer=keras.initializers.GlorotUniform(self.seed),
        )

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """Softmax over the tokens only."""
        states, mask = inputs
        scores = ops.squeeze(ops.matmul(ops.tanh(states), self.query), -1)
        # Weights of many tokens are small numbers: their softmax is taken in float32.
        scores = ops.where(mask, ops.cast(scores, "float32"), lowest("float32"))
        weights = ops.softmax(scores, axis=-1) * ops.cast(mask, "float32")
        weights = ops.cast(weights, states.dtype)
        return ops.squeeze(ops.matmul(weights[:, None, :], states), 1), weights

    def compute_output_shape(self, input_shape: Any) -> tuple[tuple[int | None, ...], ...]:
        """`(batch, features)` and `(batch, time)`."""
        batch, time, features = input_shape[0]
        return (batch, features), (batch, time)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {"seed": self.seed}


@_register
class MaxPooling(keras.layers.Layer):
    """The largest value of each feature over a document's tokens; zeros for an empty document.

    Takes states `(batch, time, features)` and their mask, returns `(batch, features)`.
    """

    def call(self, inputs: Any) -> Any:
        """Leave padding out."""
        states, mask = inputs
        kept = ops.where(mask[..., None], states, _like(states, lowest(_dtype(states))))
        some = ops.any(mask, axis=1, keepdims=True)
        return ops.where(some, ops.max(kept, axis=1), _like(states, 0.0))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, features)`."""
        return (input_shape[0][0], input_shape[0][-1])


@_register
class LastState(keras.layers.Layer):
    """Where each direction of a `Recurrent` ended: forward at the last token, backward at the first.

    Takes states `(batch, time, features)`, zero at padding, and their mask; returns
    `(batch, features)`.
    """

    def __init__(self, bidirectional: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bidirectional = bidirectional

    def call(self, inputs: Any) -> Any:
        """Pick the two ends."""
        states, mask = inputs
        last = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)
        forward = ops.squeeze(ops.take_along_axis(states, last[:, None, None], axis=1), 1)
        if not self.bidirectional:
            return forward
        half = states.shape[-1] // 2
        return ops.concatenate([forward[:, :half], states[:, 0, half:]], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, features)`."""
        return (input_shape[0][0], input_shape[0][-1])

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {"bidirectional": self.bidirectional}


def _dtype(states: Any) -> str:
    return keras.backend.standardize_dtype(states.dtype)


def _like(states: Any, value: float) -> Any:
    """The value in the type of the states, which it would otherwise widen."""
    return ops.convert_to_tensor(value, dtype=_dtype(states))


def _reversal(mask: Any) -> Any:
    """Row numbers `(batch, time)`, in flattened states, that reverse each document within its length."""
    batch, time = ops.shape(mask)
    lengths = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
    steps = ops.arange(time, dtype="int32")[None, :]
    starts = ops.arange(batch, dtype="int32")[:, None] * time
    return starts + ops.where(steps < lengths, lengths - 1 - steps, steps)


def _gather(states: Any, rows: Any) -> Any:
    """Rows of states `(batch, time, features)`, flattened over documents."""
    return ops.take(ops.reshape(states, (-1, states.shape[-1])), rows, axis=0)
