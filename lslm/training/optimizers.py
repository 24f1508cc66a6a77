"""The optimizer of a fit: AdamW, without what Keras's keeps for good on TensorFlow."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from lslm.encoder.rows import looked_up
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

    With `lazy`, a table whose gradient comes as some of its rows learns and decays in these rows alone; the
    moments of the others stay as they are. Else a step costs several passes over the whole table, however few
    words a batch has. The correction of a row's moments counts the steps that told this row. With all steps in
    their place, as in PyTorch's SparseAdam, a rare word moves by 3 to 6 times the rate whenever it is met, and is
    learned by heart (docs/log.md). TensorFlow gives such gradients where rows are looked up; others do not.
    """

    def __init__(
        self,
        *given: Any,
        paces: Sequence[tuple[float, int]] = (),
        lazy: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(*given, **settings)
        self.paces, self.lazy = [Pace(*each) for each in paces], lazy

    def build(self, variables: list[Any]) -> None:
        """Make room for the moments; with `lazy`, for how often each row was told."""
        if self.built:
            return
        super().build(variables)
        if self.lazy:
            self._told = [
                self.add_variable(shape=variable.shape[:1], name=f"told_{place}")
                for place, variable in enumerate(variables)
            ]

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        paces = {"paces": [list(each) for each in self.paces]} if self.paces else {}
        lazy = {"lazy": True} if self.lazy else {}
        return super().get_config() | paces | lazy

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras's own, at the variable's rate; of the rows alone where the gradient is of rows."""
        paced = self._paced(learning_rate, variable)
        if self.lazy and _is_of_rows(gradient):
            self._update_rows(gradient, variable, paced)
        else:
            super().update_step(gradient, variable, paced)

    def _update_rows(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Kingma & Ba 2015, algorithm 1, of some rows; those that are told twice are told the same."""
        place, rows = self._get_variable_index(variable), gradient.indices
        first, second, told = self._momentums[place], self._velocities[place], self._told[place]
        times = looked_up(told, rows) + 1
        step = ops.reshape(times, (-1, *[1] * (len(variable.shape) - 1)))
        correction = ops.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        mean, square = looked_up(first, rows), looked_up(second, rows)
        mean = mean + (gradient.values - mean) * (1 - self.beta_1)
        square = square + (ops.square(gradient.values) - square) * (1 - self.beta_2)
        change = learning_rate * correction * mean / (ops.sqrt(square) + self.epsilon)
        weights = looked_up(variable, rows)
        if self.weight_decay and self._use_weight_decay(variable):
            weights = weights - weights * self.weight_decay * learning_rate
        self.assign(told, type(gradient)(times, rows))
        self.assign(first, _rows_like(gradient, mean))
        self.assign(second, _rows_like(gradient, square))
        self.assign(variable, _rows_like(gradient, weights - change))

    def _clip_gradients(self, grads: Any) -> Any:
        """By the norm of all. Keras makes rows a whole table for it."""
        if not self.lazy:
            return super()._clip_gradients(grads)
        summed = [_summed(each) for each in grads]
        norm = ops.sqrt(sum(squares for _, squares in summed))
        share = self.global_clipnorm / ops.maximum(norm, self.global_clipnorm)
        return [
            _rows_like(each, each.values * share) if _is_of_rows(each) else each * share
            for each, _ in summed
        ]

    def _paced(self, rate: Any, variable: Any) -> Any:
        if not self.paces:
            return rate
        pace = self.paces[self._get_variable_index(variable)]
        there = ops.cast(self.iterations >= pace.start, variable.dtype)
        return ops.cast(rate, variable.dtype) * pace.share * there

    def _apply_weight_decay(self, variables: Any) -> None:
        # Whose gradients are of rows is known in the update step, which comes next.
        if not self.lazy:
            self._decay(variables)

    def _decay(self, variables: Any) -> None:
        """Of whole variables."""
        if self._replicated() and not self.paces:
            super()._apply_weight_decay(variables)
        elif self.weight_decay:
            for variable in variables:
                if self._use_weight_decay(variable):
                    rate = ops.cast(self.learning_rate, variable.dtype)
                    rate = self._paced(rate, variable)
                    variable.assign_sub(variable * self.weight_decay * rate)

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        if self.lazy:
            pairs = zip(grads, trainable_variables, strict=True)
            self._decay([variable for gradient, variable in pairs if not _is_of_rows(gradient)])
        if self._replicated():
            super()._backend_update_step(grads, trainable_variables, learning_rate)
        else:
            for gradient, variable in zip(grads, trainable_variables, strict=True):
                self.update_step(gradient, variable, learning_rate)

    def _replicated(self) -> bool:
        """Whether Keras's own way is needed; other backends than TensorFlow have no strategy here."""
        strategy = getattr(self, "_distribution_strategy", None)
        return strategy is None or strategy.num_replicas_in_sync > 1


def _is_of_rows(gradient: Any) -> bool:
    """Whether it tells some rows of a table, maybe more than once: TensorFlow's `IndexedSlices`."""
    # PyTorch's tensors have methods of these names, dense ones too.
    return keras.config.backend() == "tensorflow" and hasattr(gradient, "indices")


def _rows_like(gradient: Any, values: Any) -> Any:
    """Other values of the same rows."""
    return type(gradient)(values, gradient.indices, gradient.dense_shape)


def _summed(gradient: Any) -> tuple[Any, Any]:
    """With what each row is told in all at each place that tells it; and the sum of all squares."""
    if not _is_of_rows(gradient):
        return gradient, ops.sum(ops.square(gradient))
    order = ops.argsort(gradient.indices)
    rows = ops.take(gradient.indices, order)
    is_new = ops.concatenate([rows[:1] * 0, ops.cast(rows[1:] != rows[:-1], rows.dtype)])
    segment = ops.cumsum(is_new)
    sums = ops.segment_sum(
        ops.take(gradient.values, order, axis=0), segment, num_segments=ops.shape(rows)[0]
    )
    each = type(gradient)(ops.take(sums, segment, axis=0), rows, gradient.dense_shape)
    return each, ops.sum(ops.square(sums))


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
        lazy=training.lazy_words,
    )
    if training.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(made)
    return made
