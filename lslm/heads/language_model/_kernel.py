"""TensorFlow's kernel for an LSTM over a whole sequence, the one thing here that is no Keras."""

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
    """
    import tensorflow as tf

    unused = ops.zeros_like(hidden[0])
    told = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(states, out_type="int64")[0],
        x=states,
        cs_prev=cell,
        h_prev=hidden,
        w=_in_order(ops.concatenate([kernel, recurrent], axis=0)),
        b=_in_order(bias),
        wci=unused,
        wcf=unused,
        wco=unused,
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    )
    return told.h, told.cs


def _in_order(weights: Any) -> Any:
    """Gates stand as input, forget, cell, output in Keras; the kernel has cell before forget.

    `BlockLSTMV2` has Keras's order, but TensorFlow 2.21 gives it the gradient of the other one.
    """
    i, f, c, o = ops.split(weights, 4, axis=-1)
    return ops.concatenate([i, c, f, o], axis=-1)
