"""The loss of a network that already says what each token cost it."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lslm")
class MeanCost(keras.losses.Loss):
    """Mean nats a token: from costs `(rows, time - 1)` and 1 where one counts, of the same shape."""

    def __init__(self, name: str = "mean_cost", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value a row, whose mean is the mean over all tokens, `(rows,)`."""
        counts = ops.cast(y_true, y_pred.dtype)
        mean_tokens = ops.maximum(ops.mean(ops.sum(counts, axis=1)), 1.0)
        return ops.sum(y_pred * counts, axis=1) / mean_tokens
