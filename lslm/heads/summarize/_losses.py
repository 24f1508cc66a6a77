"""Losses over the sentences of a document.

Targets are mask, gain, label and the document's highest gain, `(rows, sentences, 4)`: a row may hold a part of a
document.
"""

from typing import Any

import keras
from keras import ops

_register = keras.saving.register_keras_serializable(package="lslm")
_NARROW = 1e-6
"""Keeps logarithms of probabilities finite."""


@_register
class SentenceLoss(keras.losses.Loss):
    """How far probabilities `(rows, sentences, 1)` are from what is wanted, one number a row.

    `hard`: cross-entropy against the labels. `soft`: against the gains, as shares of the document's
    highest. `ranking`: cross-entropy of the softmax over a row's sentences against the softmax of their
    gains times `sharpness` (ListNet, Cao et al. 2007, equation 3). Of a document of several rows each
    counts by how near its best sentence comes to the document's.
    """

    def __init__(
        self,
        objective: str = "soft",
        sharpness: float = 20.0,
        name: str = "sentences",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.objective, self.sharpness = objective, sharpness

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value a row, `(rows,)`."""
        mask, gain, label, highest = (ops.cast(y_true[..., i], y_pred.dtype) for i in range(4))
        said = ops.clip(y_pred[..., 0], _NARROW, 1 - _NARROW)
        if self.objective == "ranking":
            return self._ranked(mask, gain, highest, said)
        wanted = label
        if self.objective == "soft":
            wanted = gain / ops.maximum(highest, _NARROW)
        apart = -(wanted * ops.log(said) + (1 - wanted) * ops.log(1 - said))
        return ops.sum(apart * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1)

    def _ranked(self, mask: Any, gain: Any, highest: Any, said: Any) -> Any:
        beyond = (1 - mask) * 1e9
        logits = ops.log(said) - ops.log(1 - said)
        wanted = ops.softmax(gain * self.sharpness - beyond, axis=1)
        behind = ops.max(highest, axis=1) - ops.max(gain, axis=1)
        apart = -ops.sum(wanted * ops.log_softmax(logits - beyond, axis=1) * mask, axis=1)
        return apart * ops.exp(-self.sharpness * behind)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return super().get_config() | {"objective": self.objective, "sharpness": self.sharpness}
