"""How fast each layer of a network learns whose first recurrent layer was pretrained.

Howard & Ruder 2018 (ULMFiT), sections 3.2 and 3.3: what is new is trained first and fastest, what was learned
before is let go later (gradual unfreezing) and moves less (discriminative rates).
"""

import keras

from lslm.encoder.encoder import FIRST, WORDS
from lslm.settings import TrainingSettings
from lslm.training.optimizers import Pace

_BELOW = {FIRST: 1, WORDS: 2}
"""How far a layer lies below what is new: the head, the pooling and deeper recurrent layers."""


def of(network: keras.Model, training: TrainingSettings, n_batches: int) -> list[Pace]:
    """The pace of each trainable variable, in order; an epoch has `n_batches` steps.

    Nothing where all layers learn alike.
    """
    if not training.unfreeze_epochs and training.layer_decay == 1:
        return []
    depth = {
        id(variable): _BELOW.get(layer.name, 0)
        for layer in network.layers
        for variable in layer.trainable_variables
    }
    return [
        _pace(depth[id(variable)], training, n_batches) for variable in network.trainable_variables
    ]


def _pace(below: int, training: TrainingSettings, n_batches: int) -> Pace:
    return Pace(training.layer_decay**below, below * training.unfreeze_epochs * n_batches)
