"""Keras's LSTM, computed by TensorFlow's own kernel where a network runs on a processor."""

from typing import Any

import keras
from keras import ops


class Lstm(keras.layers.LSTM):
    """Keras's LSTM with another way over time: one operation for all steps, where there is one.

    On a processor Keras writes a loop into TensorFlow's graph, and starting its small operations takes longer
    than they do. TensorFlow has a kernel for the whole sequence, with a gradient (`BlockLSTM`): 1.0 to 2.1
    times faster, and quicker to trace (docs/training.md). Weights are Keras's, values are the same to 1e-6.

    Keras's own way is left alone wherever the kernel is not: on a GPU, on other backends, in mixed precision, and
    with a mask or activations of its own.
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """The last output, all outputs `(batch, time, units)` and the last state of `(batch, time, features)`."""
        if not self._is_plain() or mask is not None or not on_processor():
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)
        hidden, cell = initial_state
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        told = in_one(ops.swapaxes(sequences, 0, 1), hidden, cell, *weights)
        outputs, cells = (ops.swapaxes(each, 0, 1) for each in told)
        return outputs[:, -1], outputs, [outputs[:, -1], cells[:, -1]]

    def _is_plain(self) -> bool:
        """Whether the layer is what the kernel computes."""
        activations = (self.activation, self.recurrent_activation)
        return (
            activations == (keras.activations.tanh, keras.activations.sigmoid)
            and self.use_bias
            and not (self.dropout or self.recurrent_dropout or self.go_backwards or self.unroll)
            and self.return_sequences
            and self.compute_dtype == "float32"
        )


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
