"""An LSTM's own gradient is that of its loop."""

import keras
import numpy as np
import pytest
from keras import ops

from lslm.heads.language_model import _recurrence

if keras.backend.backend() != "tensorflow":
    pytest.skip("gradients are asked of TensorFlow", allow_module_level=True)

TIME, BATCH, UNITS = 7, 3, 4
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


def test_the_gradient_written_out_is_the_one_derived() -> None:
    keep = np.ones((TIME, BATCH, 1), np.float32)
    keep[3, 1] = keep[0, 2] = 0
    first, weights = [drawn(BATCH, UNITS), drawn(BATCH, UNITS)], drawn(UNITS, 4 * UNITS)
    given = [drawn(TIME, BATCH, 4 * UNITS), keep, *first, weights]
    matters = drawn(TIME, BATCH, UNITS)
    ours = gradients(lambda *each: _recurrence.lstm(*each)[0], given, matters)
    derived = gradients(lambda *each: _recurrence.looped(*each)[0], given, matters)
    for place, (one, other) in enumerate(zip(ours, derived, strict=True)):
        # What is put to zero is no number that is learned.
        if place != 1:
            assert np.allclose(one, other, atol=1e-5)


def test_no_gradient_flows_out_of_the_cells() -> None:
    given = [drawn(TIME, BATCH, 4 * UNITS), np.ones((TIME, BATCH, 1), np.float32)]
    given += [drawn(BATCH, UNITS), drawn(BATCH, UNITS), drawn(UNITS, 4 * UNITS)]
    outputs, cells = _recurrence.lstm(*map(ops.convert_to_tensor, given))
    assert np.allclose(cells, _recurrence.looped(*given)[1], atol=1e-6)
    assert np.asarray(outputs).shape == (TIME, BATCH, UNITS)
    from_both = gradients(
        lambda *each: sum(map(ops.sum, _recurrence.lstm(*each))), given, np.float32(1)
    )
    from_outputs = gradients(lambda *each: _recurrence.lstm(*each)[0], given, np.float32(1))
    for one, other in zip(from_both, from_outputs, strict=True):
        assert np.allclose(one, other, atol=1e-5)
