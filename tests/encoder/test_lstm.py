"""TensorFlow's kernel for the whole sequence computes what Keras's loop does, forward and backward."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from lslm.encoder import lstm
from lslm.encoder.lstm import Lstm

RANDOM = np.random.default_rng(0)
STATES = RANDOM.normal(size=(3, 7, 4)).astype(np.float32)
UPSTREAM = RANDOM.normal(size=(3, 7, 5)).astype(np.float32)


def pair(**settings: Any) -> tuple[Lstm, keras.layers.LSTM]:
    """Ours and Keras's, with the same random weights, biases too."""
    given = {"return_sequences": True, **settings}
    ours, theirs = Lstm(5, **given), keras.layers.LSTM(5, **given)
    for layer in (ours, theirs):
        layer.build(STATES.shape)
    weights = [RANDOM.normal(size=weight.shape) for weight in ours.get_weights()]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


def learned(layer: keras.layers.Layer) -> list[Any]:
    """Outputs, and the gradients of inputs and weights, in a traced step."""

    @tf.function
    def step(states: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(states)
            outputs, hidden, cell = layer(states, training=True)
            told = tf.reduce_sum(outputs * UPSTREAM) + tf.reduce_sum((hidden + 2 * cell) ** 2)
        weights = [weight.value for weight in layer.trainable_variables]
        return [outputs, *tape.gradient(told, [states, *weights])]

    return [value.numpy() for value in step(tf.constant(STATES))]


def kernels(layer: keras.layers.Layer) -> set[str]:
    """Kinds of operations in the layer's graph."""
    graph = tf.function(layer).get_concrete_function(tf.constant(STATES)).graph
    return {operation.type for operation in graph.get_operations()}


def test_outputs_and_gradients_are_those_of_keras() -> None:
    ours, theirs = pair(return_state=True)
    assert "BlockLSTM" in kernels(ours)
    assert "BlockLSTM" not in kernels(theirs)
    for mine, expected in zip(learned(ours), learned(theirs), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-5)


def test_a_state_goes_in_and_comes_out() -> None:
    ours, theirs = pair(return_state=True)
    state = [STATES[:, 0, :1] + np.arange(5, dtype=np.float32) for _ in range(2)]
    for mine, expected in zip(
        ours(STATES, initial_state=state), theirs(STATES, initial_state=state), strict=True
    ):
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"activation": "relu"},
        {"use_bias": False},
        {"go_backwards": True},
        {"unroll": True},
        {"dropout": 0.1},
        {"return_sequences": False},
        {"dtype": "mixed_bfloat16"},
    ],
)
def test_what_the_kernel_does_not_do_is_left_to_keras(settings: dict[str, Any]) -> None:
    ours, _ = pair(**settings)
    assert "BlockLSTM" not in kernels(ours)


def test_a_mask_and_a_gpu_are_left_to_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pair()
    mask = np.arange(7) < np.array([[7], [3], [1]])
    np.testing.assert_allclose(ours(STATES, mask=mask), theirs(STATES, mask=mask), atol=1e-6)
    monkeypatch.setattr(lstm, "on_processor", lambda: False)
    assert "BlockLSTM" not in kernels(ours)
