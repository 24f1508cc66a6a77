import keras
import numpy as np
import pytest

from lslm.encoder.rows import looked_up


@pytest.mark.parametrize("shape", [(5, 3), (5,)])
def test_rows_of_a_variable_and_of_an_array_are_those_asked_for(shape: tuple[int, ...]) -> None:
    table = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    rows = np.array([[4, 0], [0, 2]], np.int32)
    for given in (keras.Variable(table), keras.ops.convert_to_tensor(table)):
        np.testing.assert_array_equal(np.asarray(looked_up(given, rows)), table[rows])
