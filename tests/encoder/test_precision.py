import keras
import numpy as np
import pytest

from lslm.encoder.precision import Precision, computing_in, lowest


def test_the_policy_holds_for_what_is_made_inside_and_ends_with_an_error_too() -> None:
    before, made = keras.config.dtype_policy().name, list[keras.layers.Layer]()

    def fail() -> None:
        with computing_in("mixed_bfloat16"):
            made.append(keras.layers.Dense(2))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert made[0].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_lowest_value_is_finite_and_gets_no_weight(dtype: str) -> None:
    low = keras.ops.convert_to_tensor([lowest(dtype), 0.0], dtype=dtype)
    assert np.isfinite(np.asarray(keras.ops.cast(low, "float32"))).all()
    assert np.asarray(keras.ops.cast(keras.ops.softmax(low), "float32"))[0] == 0


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_weights_stay_float32(precision: Precision) -> None:
    with computing_in(precision):
        layer = keras.layers.Dense(2)
    layer.build((None, 3))
    assert (layer.kernel.dtype, layer.compute_dtype) == (
        "float32",
        precision.removeprefix("mixed_"),
    )
