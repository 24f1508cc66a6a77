"""The optimizer of a fit: AdamW, without what Keras's keeps for good on TensorFlow."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from lslm.settings import TrainingSettings


class Pace(NamedTuple):
    """How fast a variable learns."""

    share: float
    """Of the learning rate."""
    start: int
    """Steps before it moves at all."""


@keras.saving.register_keras_serializable(package="lslm")
class LeanAdamW(keras.optimizers.AdamW):
    """AdamW whose updates are applied where they are made.

    On TensorFlow, Keras first sums gradients over replicas, also where there is one. That sum has a
    gradient of its own, which TensorFlow registers under a new name at each trace and never forgets, and
    with it the graph of the whole step: tens of MB a fit (docs/training.md). With one replica nothing is to be
    summed. Values are the same, bit for bit.

    With `paces`, one for each trainable variable in order, updates and weight decay have a rate of their own, 0
    before its start; moments are gathered from the first step on. The rate is a function of the number of the
    step, inside the graph: nothing is traced again when a layer is let go.
    """

    def __init__(
        self, *given: Any, paces: Sequence[tuple[float, int]] = (), **settings: Any
    ) -> None:
        super().__init__(*given, **settings)
        self.paces = [Pace(*each) for each in paces]

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        paces = {"paces": [list(each) for each in self.paces]} if self.paces else {}
        return super().get_config() | paces

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras's own, at the variable's rate."""
        super().update_step(gradient, variable, self._paced(learning_rate, variable))

    def _paced(self, rate: Any, variable: Any) -> Any:
        if not self.paces:
            return rate
        pace = self.paces[self._get_variable_index(variable)]
        there = keras.ops.cast(self.iterations >= pace.start, variable.dtype)
        return keras.ops.cast(rate, variable.dtype) * pace.share * there

    def _apply_weight_decay(self, variables: Any) -> None:
        if self._replicated() and not self.paces:
            super()._apply_weight_decay(variables)
        elif self.weight_decay:
            for variable in variables:
                if self._use_weight_decay(variable):
                    rate = keras.ops.cast(self.learning_rate, variable.dtype)
                    rate = self._paced(rate, variable)
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


def optimizer(
    training: TrainingSettings, n_steps: int, paces: Sequence[Pace] = ()
) -> keras.optimizers.Optimizer:
    """What the settings say, its rate falling over `n_steps`; float16 gets dynamic loss scaling.

    `paces` are those of the trainable variables, in order; none lets all learn alike.
    """
    schedules = keras.optimizers.schedules
    rate = {
        "constant": lambda: training.learning_rate,
        "cosine": lambda: schedules.CosineDecay(training.learning_rate, n_steps),
        "linear": lambda: schedules.PolynomialDecay(training.learning_rate, n_steps, 0.0),
    }[training.schedule]()
    made = LeanAdamW(
        rate,
        weight_decay=training.weight_decay,
        global_clipnorm=training.clip_norm,
        paces=paces,
    )
    if training.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(made)
    return made
