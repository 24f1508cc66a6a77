"""The optimizer of a fit: AdamW, without what Keras's keeps for good on TensorFlow."""

from typing import Any

import keras

from lslm.settings import TrainingSettings


@keras.saving.register_keras_serializable(package="lslm")
class LeanAdamW(keras.optimizers.AdamW):
    """AdamW whose updates are applied where they are made.

    On TensorFlow, Keras first sums gradients over replicas, also where there is one. That sum has a
    gradient of its own, which TensorFlow registers under a new name at each trace and never forgets, and
    with it the graph of the whole step: tens of MB a fit (docs/training.md). With one replica nothing is to be
    summed. Values are the same, bit for bit.
    """

    def _apply_weight_decay(self, variables: Any) -> None:
        if self._replicated():
            super()._apply_weight_decay(variables)
        elif self.weight_decay:
            for variable in variables:
                if self._use_weight_decay(variable):
                    rate = keras.ops.cast(self.learning_rate, variable.dtype)
                    variable.assign_sub(variable * self.weight_decay * rate)

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        if self._replicated():
            super()._backend_update_step(grads, trainable_variables, learning_rate)
        else:
            for gradient, variable in zip(grads, trainable_variables, strict=True):
                self.update_step(gradient, variable, learning_rate)

    def _replicated(self) -> bool:
        """Whether Keras's own way is needed; other backends than TensorFlow have no strategy here."""
        strategy = getattr(self, "_distribution_strategy", None)
        return strategy is None or strategy.num_replicas_in_sync > 1


def optimizer(training: TrainingSettings, n_steps: int) -> keras.optimizers.Optimizer:
    """What the settings say, its rate falling over `n_steps`; float16 gets dynamic loss scaling."""
    schedules = keras.optimizers.schedules
    rate = {
        "constant": lambda: training.learning_rate,
        "cosine": lambda: schedules.CosineDecay(training.learning_rate, n_steps),
        "linear": lambda: schedules.PolynomialDecay(training.learning_rate, n_steps, 0.0),
    }[training.schedule]()
    made = LeanAdamW(rate, weight_decay=training.weight_decay, global_clipnorm=training.clip_norm)
    if training.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(made)
    return made
