"""In which precision a network computes; its weights and outputs are always float32."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import keras

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Layers made inside the block keep this policy; the policy of the process is put back after it."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def lowest(dtype: str) -> float:
    """Below every score and state, and finite, so that an empty document gives no NaN."""
    # float16 ends at 65,504.
    return -6e4 if dtype == "float16" else -1e9
