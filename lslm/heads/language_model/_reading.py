"""One long text read in pieces by a fitted network, its state going on from piece to piece.

What a published perplexity of a corpus is made of: no document begins anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lslm.heads.language_model._layers import CarriedLstm, NextToken
from lslm.text.vocabulary import PADDING, Ids

Floats = NDArray[np.float32]


class GoingOn(keras.layers.Layer):
    """An LSTM whose state comes in and goes out, `(batch, units)` twice; the weights are another layer's."""

    def __init__(self, memory: CarriedLstm, **kwargs: Any) -> None:
        # The state is float32 whatever the layer computes in.
        super().__init__(dtype=memory.dtype_policy, autocast=False, **kwargs)
        self.memory = memory
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Outputs `(batch, time, units)`, and the state after them."""
        return self.memory.go_on(*inputs)

    def compute_output_spec(self, inputs: Any) -> Any:
        """As `call` says."""
        outputs = keras.KerasTensor(
            (*inputs[0].shape[:2], self.memory.units), dtype=self.compute_dtype
        )
        return outputs, *(keras.KerasTensor(each.shape, "float32") for each in inputs[2:])


class Steady(keras.Model):
    """A network that answers as ever also while it is trained: nothing is dropped, nothing drawn."""

    def __init__(self, inner: keras.Model) -> None:
        super().__init__()
        self.inner = inner

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Answer."""
        return self.inner(inputs, training=False)


def with_state(network: keras.Model) -> Steady:
    """From tokens `(rows, time)` and a state, `(rows, units)` twice a layer, to what each next token costs.

    Gives costs, `(rows, time - 1)` nats; what the last LSTM gives, `(rows, time, units)`; and the state before
    the last token, which the next piece begins with. The weights are the network's.
    """
    (tokens,) = network.inputs
    now = {id(tokens): tokens}
    before: list[Any] = []
    after: list[Any] = []
    said: Any = None
    for layer in network.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        given = [now[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        if isinstance(layer, NextToken):
            costs = layer(given)
            inner = keras.Model([tokens, *before], [costs, said, *after])
            return Steady(inner)
        if isinstance(layer, CarriedLstm):
            state = [keras.Input((layer.units,)) for _ in range(2)]
            outputs, *later = GoingOn(layer)([*given, *state])
            before += state
            after += later
            said = outputs
        else:
            outputs = layer(given if len(given) > 1 else given[0])
        tensors = zip(keras.tree.flatten(layer.output), keras.tree.flatten(outputs), strict=True)
        now.update((id(old), new) for old, new in tensors)
    raise ValueError(f"the network {network.name!r} predicts no next token")


def nothing(reader: Steady, n_rows: int) -> list[Floats]:
    """The state before anything was read."""
    return [np.zeros((n_rows, each.shape[-1]), np.float32) for each in reader.inner.inputs[1:]]


@dataclass(frozen=True)
class Read:
    """A text that was read, in its order."""

    nats: Floats
    """What each token cost, `(n,)`."""
    states: Floats
    """What the last LSTM gave before each, `(n, units)`."""


def pieces(ids: Ids, mark: int, n_rows: int, steps: int) -> Iterator[Ids]:
    """The text behind a mark in rows of one length, cut into pieces `(n_rows, steps + 1)`.

    The last token of a piece is the first of the next. Rows are filled up with padding.

    Example:
        >>> [piece.tolist() for piece in pieces(np.array([5, 6, 7]), 2, 2, 1)]
        [[[2, 5], [6, 7]], [[5, 6], [7, 0]]]
    """
    width = -(-len(ids) // n_rows)
    stream = np.full(n_rows * width + 1, PADDING, np.int32)
    stream[: len(ids) + 1] = [mark, *ids]
    rows = np.lib.stride_tricks.sliding_window_view(stream, width + 1)[::width]
    for start in range(0, width, steps):
        yield rows[:, start : start + steps + 1]


def read(reader: Steady, ids: Ids, mark: int, n_rows: int = 1, steps: int = 128) -> Read:
    """Read a text that begins behind a mark.

    More rows are faster, and as many places have nothing before them.
    """
    state = nothing(reader, n_rows)
    nats: list[Floats] = []
    states: list[Floats] = []
    for tokens in pieces(ids, mark, n_rows, steps):
        costs, said, *state = reader.predict_on_batch([tokens, *state])
        nats.append(costs)
        states.append(said[:, :-1])
    together = (np.concatenate(each, axis=1) for each in (nats, states))
    flat = [each.reshape(-1, *each.shape[2:])[: len(ids)] for each in together]
    return Read(flat[0], flat[1])
