"""TensorFlow's kernel for an LSTM over a whole sequence, the one thing here that is no Keras."""

import os
from typing import Any

import keras
from keras import ops


def on_processor() -> bool:
    """Whether a network runs on TensorFlow without a GPU."""
    if keras.config.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def in_one(
    states: Any, hidden: Any, cell: Any, kernel: Any, recurrent: Any, bias: Any
) -> tuple[Any, Any]:
    """Outputs and cells, `(time, batch, units)` each, of `states` `(time, batch, features)` by the kernel.

    The state before the first step is `hidden` and `cell`, `(batch, units)`; the weights are `kernel`
    `(features, 4 units)`, `recurrent` `(units, 4 units)` and `bias`, their gates in Keras's order. All are
    float32. Call it where `on_processor` says so.

    Where TensorFlow may run so many operations at once, the rows are split among as many: the products of one step
    are too small to be shared.
    """
    weights, bias = _in_order(ops.concatenate([kernel, recurrent], axis=0)), _in_order(bias)
    n_rows, n_parts = ops.shape(hidden)[0], _at_once()
    if n_parts == 1:
        return _of_rows(states, hidden, cell, weights, bias)
    # The kernel's gradient of no rows is garbage: each part gets some.
    filled = [
        ops.pad(each, [[0, 0]] * (each.ndim - 2) + [[0, -n_rows % n_parts], [0, 0]])
        for each in (states, hidden, cell)
    ]
    parts = zip(*(ops.split(each, n_parts, axis=-2) for each in filled), strict=True)
    told = [_of_rows(*part, weights=weights, bias=bias) for part in parts]
    outputs, cells = (ops.concatenate(each, axis=1)[:, :n_rows] for each in zip(*told, strict=True))
    return outputs, cells


def _of_rows(states: Any, hidden: Any, cell: Any, weights: Any, bias: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    unused = ops.zeros_like(bias[: hidden.shape[-1]])
    told = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(states, out_type="int64")[0],
        x=states,
        cs_prev=cell,
        h_prev=hidden,
        w=weights,
        b=bias,
        wci=unused,
        wcf=unused,
        wco=unused,
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    )
    return told.h, told.cs


def _at_once() -> int:
    """Operations that TensorFlow may run side by side; it reads the variable when it is first used."""
    told = os.environ.get("TF_NUM_INTEROP_THREADS", "")
    return int(told) if told.isdigit() and int(told) else 1


def _in_order(weights: Any) -> Any:
    """Gates stand as input, forget, cell, output in Keras; the kernel has cell before forget.

    `BlockLSTMV2` has Keras's order, but TensorFlow 2.21 gives it the gradient of the other one.
    """
    i, f, c, o = ops.split(weights, 4, axis=-1)
    return ops.concatenate([i, c, f, o], axis=-1)
