"""Losses that Keras does not have. Imports Keras: import it inside functions only."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lslm")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of probabilities against integer labels, with label smoothing.

    Keras has integer labels and smoothing in two losses, never in one (looked up in 3.15). Smoothing
    spreads that share of the target evenly over all labels (Szegedy et al. 2016, section 7).
    Truth `(batch,)`, outputs `(batch, n_labels)`.
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
        name: str = "smoothed_crossentropy",
    ) -> None:
        super().__init__(name=name, reduction=reduction)
        self.label_smoothing = label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """One value a document, `(batch,)`."""
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        truth = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
        return keras.losses.categorical_crossentropy(
            truth, y_pred, label_smoothing=self.label_smoothing
        )

    def get_config(self) -> dict[str, object]:
        """What the constructor was given."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
