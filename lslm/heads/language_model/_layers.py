"""Layers of a language model: tied words, an LSTM that carries its state, and the next token's cost."""

from typing import Any

import keras
import numpy as np
from keras import ops

from lslm.encoder.rows import looked_up
from lslm.heads.language_model._recurrence import Weights, lstm

_register = keras.saving.register_keras_serializable(package="lslm")
_MOST_TOGETHER, _MOST_LOGITS = 512, 2**24
"""Of tokens, and of their logits, that are in memory together where no gradient is needed."""
_SMALL = 0.1
"""A drawn table is uniform up to here."""
NEVER = -1e9
"""Logit of what is never predicted."""


def log_shares(counts: Any) -> Any:
    """Logarithm of each word's share of the tokens, one added to each count, `(n_words,)`.

    Example:
        >>> np.exp(log_shares(np.array([0, 1, 4]))).round(3).tolist()
        [0.125, 0.25, 0.625]
    """
    more = np.asarray(counts) + 1
    return np.log(more / more.sum()).astype(np.float32)


@_register
class TiedWords(keras.layers.Layer):
    """Vectors of words `(batch, time, size)`, and the table `(n_words, size)` for the way back.

    Inan, Khosravi & Socher 2017 and Press & Wolf 2017: the same table reads words and predicts them.
    """

    def __init__(self, n_words: int, size: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_words, self.size, self.seed = n_words, size, seed

    def build(self, input_shape: Any) -> None:
        """Draw the table."""
        small = keras.initializers.RandomUniform(-_SMALL, _SMALL, seed=self.seed)
        self.table = self.add_weight(
            name="table",
            shape=(self.n_words, self.size),
            initializer=small,
            # In mixed precision what is looked up is cast; what is predicted with stays float32.
            autocast=False,
        )

    def begin(self, vectors: Any) -> None:
        """Put in vectors `(n_words, size)` of standard deviation 1, as large as what is drawn; zeros leave it."""
        table = np.array(ops.convert_to_numpy(self.table))
        known = np.asarray(vectors).any(axis=1)
        table[known] = vectors[known] * np.float32(_SMALL / 3**0.5)
        self.table.assign(table)

    def call(self, tokens: Any) -> Any:
        """Look the words up."""
        vectors = looked_up(self.table, tokens)
        return ops.cast(vectors, self.compute_dtype), ops.convert_to_tensor(self.table)

    def compute_output_spec(self, tokens: Any) -> Any:
        """`(batch, time, size)` and `(n_words, size)`."""
        vectors = keras.KerasTensor((*tokens.shape, self.size), dtype=self.compute_dtype)
        return vectors, keras.KerasTensor((self.n_words, self.size), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        own = {"n_words": self.n_words, "size": self.size, "seed": self.seed}
        return super().get_config() | own


@_register
class CarriedLstm(keras.layers.Layer):
    """An LSTM over states `(batch, time, features)` and their tokens; returns `(batch, time, units)`.

    In training the state goes on from the batch before, row by row, up to `rows` rows; the gradient
    does not. A batch begins with the last token of the one before, where that was only predicted. Padding
    puts the state to zero. `weight_dropout` is of the recurrent weights, one draw a batch
    (DropConnect, Merity et al. 2018, section 2). Gates stand in the order i, f, c, o.
    """

    def __init__(
        self, units: int, rows: int, weight_dropout: float = 0.0, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.rows, self.weight_dropout, self.seed = units, rows, weight_dropout, seed
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Make the weights, and room for the state."""
        features, width = input_shape[0][-1], 4 * self.units
        draw = keras.initializers
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, width),
            initializer=draw.GlorotUniform(seed=self.seed),
        )
        self.recurrent = self.add_weight(
            name="recurrent",
            shape=(self.units, width),
            initializer=draw.Orthogonal(seed=self.seed + 1),
        )
        # In mixed precision only the products are of 16 bits; a cell sums up over all steps.
        self.bias = self.add_weight(
            name="bias", shape=(width,), initializer=self._remembering, autocast=False
        )
        self.kept = [
            self.add_weight(
                name=name,
                shape=(self.rows, self.units),
                initializer="zeros",
                trainable=False,
                autocast=False,
            )
            for name in ("hidden", "cell")
        ]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Step through the tokens."""
        states, tokens = inputs
        n_rows = ops.shape(states)[0]
        recurrent = self._recurrent_weights(training)
        if training:
            start = [ops.convert_to_tensor(kept)[:n_rows] for kept in self.kept]
        else:
            start = [ops.zeros((n_rows, self.units))] * 2
        outputs, *state = self._from(start, states, tokens, recurrent)
        if training:
            for kept, value in zip(self.kept, state, strict=True):
                rest = ops.convert_to_tensor(kept)[n_rows:]
                kept.assign(ops.concatenate([ops.stop_gradient(value), rest]))
        return outputs

    def go_on(self, states: Any, tokens: Any, hidden: Any, cell: Any) -> tuple[Any, Any, Any]:
        """Answer from a given state, `(batch, units)` twice: outputs, and the state for the next piece."""
        return self._from([hidden, cell], states, tokens, self._recurrent_weights(training=False))

    def _from(self, start: list[Any], states: Any, tokens: Any, recurrent: Any) -> tuple[Any, ...]:
        """Outputs, and the state before the last token: the next piece begins with that token."""
        there = ops.cast(ops.not_equal(tokens, 0), "float32")[..., None]
        hidden, cell = (ops.cast(each, "float32") for each in start)
        states, there = ops.swapaxes(states, 0, 1), ops.swapaxes(there, 0, 1)
        weights = Weights(ops.convert_to_tensor(self.kernel), recurrent, self.bias)
        outputs, cells = lstm(states, there, hidden, cell, weights)
        given = ops.cast(ops.swapaxes(outputs, 0, 1), self.compute_dtype)
        return given, outputs[-2], cells[-2]

    def compute_output_spec(self, inputs: Any, training: bool = False) -> keras.KerasTensor:
        """`(batch, time, units)`."""
        return keras.KerasTensor((*inputs[0].shape[:2], self.units), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {
            "units": self.units,
            "rows": self.rows,
            "weight_dropout": self.weight_dropout,
            "seed": self.seed,
        }

    def _recurrent_weights(self, training: bool) -> Any:
        weights = ops.cast(self.recurrent, self.compute_dtype)
        if not training or not self.weight_dropout:
            return weights
        return keras.random.dropout(weights, self.weight_dropout, seed=self.generator)

    def _remembering(self, shape: Any, dtype: Any = None) -> Any:
        """Zeros, and ones for the gate that forgets (Jozefowicz et al. 2015, section 2.2)."""
        return ops.concatenate(
            [
                ops.zeros((self.units,), dtype),
                ops.ones((self.units,), dtype),
                ops.zeros((2 * self.units,), dtype),
            ]
        )


@_register
class Calm(keras.layers.Layer):
    """Outputs as they are; in training, large ones and jumping ones add to the loss.

    Takes outputs before and after dropout, `(batch, time, units)`. Merity, McCann & Socher 2017.
    """

    def __init__(self, activation: float = 0.0, temporal: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation, self.temporal = activation, temporal
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Add to the loss, and give back what is after dropout."""
        plain, dropped = inputs
        if training and self.activation:
            large = ops.mean(ops.square(ops.cast(dropped, "float32")))
            self.add_loss(self.activation * large)
        if training and self.temporal:
            jumps = ops.cast(plain[:, 1:] - plain[:, :-1], "float32")
            self.add_loss(self.temporal * ops.mean(ops.square(jumps)))
        return dropped

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the outputs."""
        return tuple(input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        own = {"activation": self.activation, "temporal": self.temporal}
        return super().get_config() | own


@_register
class NextToken(keras.layers.Layer):
    """What each next token costs, in nats, `(batch, time - 1)`; 0 where there is none.

    Takes states `(batch, time, size)`, tokens `(batch, time)` and the table `(n_words, size)`. With
    `sampled`, training compares the right token with that many others: one half the most frequent, one half
    drawn from the rest, each of these weighted by one over how often it is drawn. That is an
    importance-sampled softmax (Bengio & Senecal 2003) whose largest terms are exact.

    In training, products with the drawn words are worked out in `products`, a type of 16 bits in mixed precision;
    biases and sums over words are float32.
    """

    def __init__(
        self,
        n_words: int,
        sampled: int = 0,
        seed: int = 0,
        products: str = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.n_words, self.sampled, self.seed, self.products = n_words, sampled, seed, products
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Make the bias."""
        self.bias = self.add_weight(name="bias", shape=(self.n_words,), initializer="zeros")

    def begin(self, counts: Any) -> None:
        """Say that each word is as frequent as it is, before anything is learned; `counts` is `(n_words,)`.

        From zeros a step of Adam would take thousands of batches to say that most words are rare.
        """
        self.bias.assign(log_shares(counts))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Compare what is said with what comes."""
        states, tokens, table = inputs
        wanted = tokens[:, 1:]
        said = ops.reshape(states[:, :-1], (-1, states.shape[-1]))
        right = ops.reshape(wanted, (-1,))
        if training and self.sampled:
            costs = self._against_drawn(said, right, table)
        elif training:
            costs = self._against_all(said, right, table)
        else:
            costs = self._in_blocks(said, right, table)
        counts = ops.logical_and(ops.not_equal(wanted, 0), ops.not_equal(tokens[:, :-1], 0))
        return ops.where(counts, ops.reshape(costs, ops.shape(wanted)), 0.0)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> keras.KerasTensor:
        """`(batch, time - 1)`."""
        batch, time = inputs[1].shape
        return keras.KerasTensor((batch, time and time - 1), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {
            "n_words": self.n_words,
            "sampled": self.sampled,
            "seed": self.seed,
            "products": self.products,
        }

    @property
    def together(self) -> int:
        """Tokens that are compared with all words at a time, where no gradient is needed."""
        return max(1, min(_MOST_TOGETHER, _MOST_LOGITS // self.n_words))

    def biases(self) -> Any:
        """The bias of each word, `(n_words,)`; padding is never predicted."""
        never = np.zeros(self.n_words, np.float32)
        never[0] = NEVER
        return self.bias + never

    def _against_all(self, said: Any, right: Any, table: Any) -> Any:
        logits = ops.matmul(said, ops.transpose(table)) + self.biases()
        return ops.logsumexp(logits, axis=-1) - self._logit(said, right, table)

    def _in_blocks(self, said: Any, right: Any, table: Any) -> Any:
        n_tokens = ops.shape(right)[0]
        lacking = (-n_tokens) % self.together
        said = ops.concatenate([said, ops.zeros((lacking, table.shape[-1]), said.dtype)])
        right = ops.concatenate([right, ops.zeros((lacking,), right.dtype)])
        blocks = (
            ops.reshape(said, (-1, self.together, table.shape[-1])),
            ops.reshape(right, (-1, self.together)),
        )
        costs = ops.map(lambda block: self._against_all(block[0], block[1], table), blocks)
        return ops.reshape(costs, (-1,))[:n_tokens]

    def _against_drawn(self, said: Any, right: Any, table: Any) -> Any:
        n_frequent = min(self.sampled // 2, self.n_words - 1)
        first = n_frequent + 1
        # Taken, not cut out: what is cut out has a gradient as large as the whole table.
        frequent = ops.arange(1, first, dtype="int32")
        logits = self._logits(said, looked_up(table, frequent))
        every = ops.logsumexp(logits + looked_up(self.bias, frequent), axis=1)
        own = self._logit(said, right, table)
        if first == self.n_words:
            return every - own
        n_drawn = self.sampled - n_frequent
        # Ids go by falling frequency, so a draw is uniform in their logarithm (Zipf).
        span = float(np.log(self.n_words / first))
        draws = keras.random.uniform((n_drawn,), seed=self.generator)
        drawn = ops.minimum(ops.cast(first * ops.exp(draws * span), "int32"), self.n_words - 1)
        place = ops.cast(drawn, said.dtype)
        often = n_drawn * ops.log((place + 1) / place) / span
        logits = self._logits(said, looked_up(table, drawn))
        logits = logits + (looked_up(self.bias, drawn) - ops.log(often))
        others = ops.where(ops.equal(right[:, None], drawn[None]), NEVER, logits)
        every = ops.logaddexp(every, ops.logsumexp(others, axis=1))
        # A frequent token is among all already.
        return ops.where(right < first, every, ops.logaddexp(every, own)) - own

    def _logits(self, said: Any, rows: Any) -> Any:
        said, rows = (ops.cast(each, self.products) for each in (said, rows))
        return ops.cast(ops.matmul(said, ops.transpose(rows)), self.dtype)

    def _logit(self, said: Any, right: Any, table: Any) -> Any:
        product = ops.sum(said * looked_up(table, right), axis=-1)
        return product + looked_up(self.bias, right)
