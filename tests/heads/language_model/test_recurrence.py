"""An LSTM in one operation, and with its gradient written out, is what its loop is."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from lslm.heads.language_model import _recurrence

if keras.backend.backend() != "tensorflow":
    pytest.skip("gradients are asked of TensorFlow", allow_module_level=True)

TIME, BATCH, FEATURES, UNITS = 7, 3, 5, 4
RANDOM = np.random.default_rng(0)


def drawn(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def gradients(of: object, given: list[np.ndarray], weights: np.ndarray) -> list[np.ndarray]:
    import tensorflow as tf

    variables = [tf.Variable(each) for each in given]
    with tf.GradientTape() as tape:
        outputs = of(*map(tf.convert_to_tensor, variables))  # type: ignore[operator]
        total = tf.reduce_sum(outputs * weights)
    return [np.asarray(each) for each in tape.gradient(total, variables)]


def given() -> list[np.ndarray]:
    """States, what is kept of the state, the state before, and weights; twice it is put to zero on the way."""
    keep = np.ones((TIME, BATCH, 1), np.float32)
    keep[3, 1] = keep[0, 2] = 0
    state = [drawn(BATCH, UNITS), drawn(BATCH, UNITS)]
    weights = [drawn(FEATURES, 4 * UNITS), drawn(UNITS, 4 * UNITS), drawn(4 * UNITS)]
    return [drawn(TIME, BATCH, FEATURES), keep, *state, *weights]


def looped(states: Any, keep: Any, *others: Any) -> tuple[Any, Any]:
    hidden, cell, kernel, recurrent, bias = others
    projected = ops.matmul(states, kernel) + bias
    return _recurrence.looped(projected, keep, hidden, cell, recurrent)[:2]


def whole(states: Any, keep: Any, *others: Any) -> tuple[Any, Any]:
    hidden, cell, *weights = others
    return _recurrence.lstm(states, keep, hidden, cell, _recurrence.Weights(*weights))


@pytest.mark.parametrize("processor", [True, False])
def test_outputs_and_gradients_are_those_of_the_loop(
    processor: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_recurrence, "on_processor", lambda: processor)
    values, matters = given(), drawn(TIME, BATCH, UNITS)
    for one, other in zip(whole(*values), looped(*values), strict=True):
        assert np.allclose(one, other, atol=1e-6)
    ours = gradients(lambda *each: whole(*each)[0], values, matters)
    derived = gradients(lambda *each: looped(*each)[0], values, matters)
    for place, (one, other) in enumerate(zip(ours, derived, strict=True)):
        # What is put to zero is no number that is learned.
        if place != 1:
            assert np.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("processor", [True, False])
def test_no_gradient_flows_out_of_the_cells(
    processor: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_recurrence, "on_processor", lambda: processor)
    values = given()
    from_both = gradients(lambda *each: sum(map(ops.sum, whole(*each))), values, np.float32(1))
    from_outputs = gradients(lambda *each: whole(*each)[0], values, np.float32(1))
    for one, other in zip(from_both, from_outputs, strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_with_products_of_16_bits_it_is_nearly_the_same() -> None:
    def mixed(states: Any, keep: Any, *others: Any) -> Any:
        *state, kernel, recurrent, bias = others
        states, kernel, recurrent = (ops.cast(x, "bfloat16") for x in (states, kernel, recurrent))
        weights = _recurrence.Weights(kernel, recurrent, bias)
        return _recurrence.lstm(states, keep, *state, weights)

    values, matters = given(), drawn(TIME, BATCH, UNITS)
    for one, other in zip(mixed(*values), whole(*values), strict=True):
        assert keras.backend.standardize_dtype(one.dtype) == "float32"
        assert np.allclose(one, other, atol=0.1)
    rounded = gradients(lambda *each: mixed(*each)[0], values, matters)
    exact = gradients(lambda *each: whole(*each)[0], values, matters)
    for place, (one, other) in enumerate(zip(rounded, exact, strict=True)):
        if place != 1:
            assert np.linalg.norm(one - other) < 0.05 * np.linalg.norm(other)


def test_a_cell_sums_up_in_32_bits_also_where_products_have_16() -> None:
    """A sum in bfloat16 would stop at 1: half of what is added here is below its next step."""
    n_steps, added = 1000, 0.003
    bias = ops.concatenate([ops.full((1,), np.log(added / (1 - added))), ops.full((3,), 40.0)])
    nothing = ops.zeros((1, 4), "bfloat16")
    _, cells = _recurrence.lstm(
        ops.zeros((n_steps, 1, 1), "bfloat16"),
        ops.ones((n_steps, 1, 1)),
        ops.zeros((1, 1)),
        ops.zeros((1, 1)),
        _recurrence.Weights(nothing, nothing, bias),
    )
    assert float(cells[-1, 0, 0]) == pytest.approx(n_steps * added, rel=1e-3)


@pytest.mark.parametrize("at_once", ["1", "2", "4"])
def test_rows_side_by_side_are_what_they_are_together(
    at_once: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rows do not go into two parts, nor into four."""
    values, matters = given(), drawn(TIME, BATCH, UNITS)
    monkeypatch.delenv("TF_NUM_INTEROP_THREADS", raising=False)
    alone = whole(*values), gradients(lambda *each: whole(*each)[0], values, matters)
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", at_once)
    split = whole(*values), gradients(lambda *each: whole(*each)[0], values, matters)
    for one, other in zip(keras.tree.flatten(split), keras.tree.flatten(alone), strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_the_kernel_leaves_nothing_in_the_registry_of_gradients() -> None:
    import tensorflow as tf
    from tensorflow.python.framework.ops import gradient_registry

    @tf.function
    def step(*values: Any) -> Any:
        return tf.gradients(ops.sum(whole(*values)[0]), values[0])

    before = set(gradient_registry.list())
    step(*map(tf.constant, given()))
    assert set(gradient_registry.list()) == before
