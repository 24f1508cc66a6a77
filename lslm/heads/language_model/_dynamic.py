"""Dynamic evaluation: a network that goes on learning from the text that it is scored on.

Each piece is scored first and learned from afterwards (Krause, Kahembwe, Murray & Renals 2018, equations
5 to 7): a step down the gradient, of each weight by how large its gradients are in training, and a step
back to where training left it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from lslm.heads.language_model._losses import MeanCost
from lslm.heads.language_model._reading import Floats, Steady, nothing, pieces
from lslm.heads.language_model.rows import predicted
from lslm.text.vocabulary import PADDING, Ids

_SMALL = 1e-8


@dataclass(frozen=True)
class Pace:
    """How fast a network learns from a text, and forgets it."""

    rate: float
    """Of a step down the gradient."""
    decay: float
    """Share of the way back to the trained weights, of a weight of mean gradients."""


PACES = tuple(Pace(rate, decay) for rate in (2e-5, 1e-4, 5e-4) for decay in (1e-3, 1e-2))


class Squares(keras.optimizers.Optimizer):
    """Changes nothing, and adds the squares of the gradients."""

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0)

    def build(self, variables: Any) -> None:
        if not self.built:
            super().build(variables)
            self.squares = self.add_optimizer_variables(variables, "squares")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        place = self._get_variable_index(variable)
        self.assign_add(self.squares[place], ops.square(ops.convert_to_tensor(gradient)))


class Returning(keras.optimizers.Optimizer):
    """A step down the gradient and one back, each weight by the root of its mean square `roots`.

    The mean of all roots is what the paper calls epsilon: a weight that had next to no gradient in training,
    such as a rare word's, makes no leap.
    """

    def __init__(self, pace: Pace, roots: Sequence[Floats]) -> None:
        super().__init__(learning_rate=pace.rate)
        self.pace, self._roots = pace, roots

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.roots = self.add_optimizer_variables(variables, "roots")
        self.origins = self.add_optimizer_variables(variables, "origins")
        for variable, root, origin, value in zip(
            variables, self.roots, self.origins, self._roots, strict=True
        ):
            root.assign(value)
            origin.assign(variable)
        mean = float(np.mean(np.concatenate([np.ravel(each) for each in self._roots])))
        self._mean = max(mean, _SMALL)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        place = self._get_variable_index(variable)
        root = ops.convert_to_tensor(self.roots[place])
        # No weight goes further back than all the way.
        back = ops.minimum(self.pace.decay * root / self._mean, 1.0)
        down = learning_rate * ops.convert_to_tensor(gradient) / (root + self._mean)
        self.assign_add(variable, back * (self.origins[place] - variable) - down)


def mean_roots(reader: Steady, batches: Iterable[Ids]) -> list[Floats]:
    """The root of the mean square of the gradient by each weight, over batches `(rows, time)` of training.

    Each batch begins from nothing. In the order of `reader.trainable_variables`.
    """
    optimizer, n = Squares(), 0
    learner = _learner(reader, optimizer)
    for tokens in batches:
        learner.train_on_batch([tokens, *nothing(reader, len(tokens))], predicted(tokens))
        n += 1
    return [np.sqrt(np.asarray(each) / max(n, 1)) for each in optimizer.squares]


def dynamic_nats(
    reader: Steady, texts: Sequence[Ids], mark: int, pace: Pace, roots: Sequence[Floats], steps: int
) -> list[Floats]:
    """What each token of each text behind a mark costs, `(n,)`, while the network learns from those before.

    A text is read from nothing, by a network that has learned from the texts before it. `steps` tokens are
    scored together. The network is as before afterwards.
    """
    found: list[Floats] = []
    with _as_before(reader):
        learner = _learner(reader, Returning(pace, roots))
        for ids in texts:
            state, costs = nothing(reader, 1), list[Floats]()
            for tokens in filled(ids, mark, steps):
                cost, _, *after = reader.predict_on_batch([tokens, *state])
                costs.append(cost[0])
                learner.train_on_batch([tokens, *state], predicted(tokens))
                state = after
            found.append(np.concatenate(costs)[: len(ids)])
    return found


def filled(ids: Ids, mark: int, steps: int) -> Iterator[Ids]:
    """A text behind a mark in pieces `(1, steps + 1)`; padding fills the last one, so that all are of one shape.

    Example:
        >>> [piece.tolist() for piece in filled(np.array([5, 6, 7]), 2, 2)]
        [[[2, 5, 6]], [[6, 7, 0]]]
    """
    for tokens in pieces(ids, mark, 1, steps):
        yield np.pad(tokens, ((0, 0), (0, steps + 1 - tokens.shape[1])), constant_values=PADDING)


def chosen(
    reader: Steady,
    texts: Sequence[Ids],
    mark: int,
    roots: Sequence[Floats],
    steps: int,
    paces: Sequence[Pace] = PACES,
) -> Pace:
    """The pace that makes texts cheapest: to be asked of held-out text, never of what is to be scored."""

    def cost(pace: Pace) -> float:
        return float(np.concatenate(dynamic_nats(reader, texts, mark, pace, roots, steps)).mean())

    return min(paces, key=cost)


def _learner(reader: Steady, optimizer: keras.optimizers.Optimizer) -> Steady:
    """The reader's weights, to be trained on what next tokens cost."""
    learner = Steady(keras.Model(reader.inner.inputs, reader.inner.outputs[0]))
    optimizer.build(learner.trainable_variables)
    learner.compile(optimizer=optimizer, loss=MeanCost())
    return learner


@contextmanager
def _as_before(reader: Steady) -> Iterator[None]:
    """Put the weights back at the end."""
    before = [np.array(each) for each in reader.trainable_variables]
    try:
        yield
    finally:
        for variable, value in zip(reader.trainable_variables, before, strict=True):
            variable.assign(value)
