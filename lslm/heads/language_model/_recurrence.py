"""An LSTM over time that can be put to zero on the way, as one operation.

On a processor that is TensorFlow's kernel for a whole sequence (`_kernel.py`). Elsewhere it is a loop
with its gradient written out: the gradient that a backend derives of a loop adds a matrix as large as the
recurrent weights at each step. Here each step leaves the gradient of its gates, and one product over all
steps is the gradient of the weights (Appleyard, Kociský & Blunsom 2016, section 3.3). Timed in docs/log.md.

In mixed precision the loop is taken everywhere: products are of 16 bits, gates and the state of 32.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops
from keras.backend import standardize_dtype

from lslm.heads.language_model._kernel import in_one, on_processor

_SHUT = -1e4
"""What closes a gate for good."""


class Weights(NamedTuple):
    """Of an LSTM, the gates in the order i, f, c, o."""

    kernel: Any
    """`(features, 4 units)`."""
    recurrent: Any
    """`(units, 4 units)`."""
    bias: Any
    """`(4 units,)`."""


def lstm(states: Any, keep: Any, hidden: Any, cell: Any, weights: Weights) -> tuple[Any, Any]:
    """Outputs and cells, `(time, batch, units)` each; no gradient flows out of the cells.

    Takes `states` `(time, batch, features)`; `keep` `(time, batch, 1)`, 0 where the state is put to zero; and
    the state before the first step, `(batch, units)` twice. All is float32, but `states` and the two matrices of
    weights may be of 16 bits.
    """
    if on_processor() and standardize_dtype(states.dtype) == "float32":
        outputs, cells = _shutting(states, keep, hidden, cell, weights)
    else:
        projected = _product(states, weights.kernel) + weights.bias
        both = _outputs_and_cells(projected, keep, hidden, cell, weights.recurrent)
        outputs, cells = ops.split(both, 2, axis=-1)
    return outputs, ops.stop_gradient(cells)


def _product(states: Any, weights: Any) -> Any:
    """In float32, worked out in the precision of the weights."""
    return ops.cast(ops.matmul(ops.cast(states, weights.dtype), weights), "float32")


def _shutting(states: Any, keep: Any, hidden: Any, cell: Any, weights: Weights) -> tuple[Any, Any]:
    """The kernel knows no zeros on the way: one feature more shuts what comes in and what is remembered."""
    units = hidden.shape[-1]
    shut = np.zeros((1, 4 * units), np.float32)
    shut[:, : 2 * units] = _SHUT
    kernel = ops.concatenate([weights.kernel, shut], axis=0)
    given = ops.concatenate([states, 1 - keep], axis=-1)
    return in_one(given, hidden, cell, kernel, weights.recurrent, weights.bias)


def looped(projected: Any, keep: Any, hidden: Any, cell: Any, recurrent: Any) -> Any:
    """States, cells and gates of all steps, time first."""

    def step(carried: Any, given: Any) -> Any:
        hidden, cell, _ = carried
        gates, kept = given[:, :-1] + _product(hidden, recurrent), given[:, -1:]
        i, f, c, o = ops.split(gates, 4, axis=-1)
        i, f, c, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(c), ops.sigmoid(o)
        cell = kept * (f * cell + i * c)
        # At a step that is put to zero the output is, because its cell is.
        hidden = o * ops.tanh(cell)
        # TensorFlow's scan gives back what has the form of the state, so the gates are carried too.
        after = (hidden, cell, ops.concatenate([i, f, c, o], axis=-1))
        return after, after

    # Scanning takes one array; the flag is its last column.
    given = ops.concatenate([projected, keep], axis=-1)
    start = (hidden, cell, ops.zeros_like(projected[0]))
    return ops.scan(step, start, given)[1]


@ops.custom_gradient
def _outputs_and_cells(projected: Any, keep: Any, hidden: Any, cell: Any, recurrent: Any) -> Any:
    """Side by side, `(time, batch, 2 units)`: on PyTorch, Keras takes gradients of one result only.

    Takes `projected` `(time, batch, 4 units)`, what the inputs and the bias say of the gates.
    """
    outputs, cells, gates = looped(projected, keep, hidden, cell, recurrent)
    units = hidden.shape[-1]

    def gradient(*given: Any, upstream: Any = None) -> Any:
        # TensorFlow and JAX give what comes from behind by place, PyTorch by name.
        from_outputs = (given[0] if upstream is None else upstream)[..., :units]
        before = ops.concatenate([cell[None], cells[:-1]], axis=0)
        by_gates, by_state = _backward(from_outputs, keep, before, cells, gates, recurrent)
        outputs_before = ops.concatenate([hidden[None], outputs[:-1]], axis=0)
        flat = (ops.reshape(each, (-1, each.shape[-1])) for each in (outputs_before, by_gates))
        before, behind = (ops.cast(each, recurrent.dtype) for each in flat)
        by_weights = ops.matmul(ops.transpose(before), behind)
        return by_gates, ops.zeros_like(keep), *by_state, by_weights

    return ops.concatenate([outputs, cells], axis=-1), gradient


def _backward(
    from_outputs: Any, keep: Any, before: Any, cells: Any, gates: Any, recurrent: Any
) -> tuple[Any, tuple[Any, Any]]:
    """Gradients by the gates before their functions `(time, batch, 4 units)`, and by the first state."""
    i, f, c, o = ops.split(gates, 4, axis=-1)
    told = ops.tanh(cells)
    # Whatever needs no step before it is worked out for all steps at once.
    given = ops.concatenate(
        [
            keep * c * i * (1 - i),
            keep * before * f * (1 - f),
            keep * i * (1 - c * c),
            told * o * (1 - o),
            o * (1 - told * told),
            keep * f,
            from_outputs,
        ],
        axis=-1,
    )
    weights = ops.transpose(recurrent)

    def step(carried: Any, given: Any) -> Any:
        by_hidden, by_cell, _ = carried
        by_i, by_f, by_c, by_o, through, kept, from_output = ops.split(given, 7, axis=-1)
        by_hidden = by_hidden + from_output
        by_cell = by_cell + by_hidden * through
        by_gates = ops.concatenate(
            [by_cell * by_i, by_cell * by_f, by_cell * by_c, by_hidden * by_o], axis=-1
        )
        after = (_product(by_gates, weights), by_cell * kept, by_gates)
        return after, after

    start = (ops.zeros_like(before[0]), ops.zeros_like(before[0]), ops.zeros_like(gates[0]))
    (by_hidden, by_cell, _), (_, _, by_gates) = ops.scan(step, start, ops.flip(given, axis=0))
    return ops.flip(by_gates, axis=0), (by_hidden, by_cell)
