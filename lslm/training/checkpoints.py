"""Where a fit stands after an epoch, so that it can go on in another process, bit for bit."""

import dataclasses
import io
import json
from pathlib import Path

import keras
import numpy as np

from lslm.encoder.layers import WordEmbedding
from lslm.training.epochs import Epoch
from lslm.workspace import write_atomic

_EPOCHS = "epochs"


class Checkpoint:
    """One file: what has changed in the network, the optimizer, the state of every random draw, the epochs so far.

    Frozen words and layers are left out; a network that is built anew has them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, network: keras.Model, epochs: list[Epoch]) -> None:
        """Write the state, whole or not at all."""
        told = json.dumps([dataclasses.asdict(epoch) for epoch in epochs])
        arrays = {
            f"{number}": keras.ops.convert_to_numpy(variable)
            for number, variable in enumerate(_changing(network))
        }
        content = io.BytesIO()
        np.savez(content, **{_EPOCHS: np.array(told), **arrays})  # pyright: ignore[reportArgumentType]
        write_atomic(self.path, content.getvalue())

    def restore(self, network: keras.Model) -> list[Epoch]:
        """Put a network in the state that was written, and tell the epochs; none if none was.

        The network is compiled, and its optimizer built.
        """
        if not self.path.exists():
            return []
        with np.load(self.path, allow_pickle=False) as state:
            for number, variable in enumerate(_changing(network)):
                variable.assign(state[f"{number}"])
            return [Epoch(**each) for each in json.loads(str(state[_EPOCHS]))]

    def remove(self) -> None:
        """The fit is over."""
        self.path.unlink(missing_ok=True)


def _changing(network: keras.Model) -> list[keras.Variable]:
    """Variables that change while it learns, seeds of dropout among them, in an order that stays.

    Some are not trained, such as the moving means of batch normalization.
    """
    frozen = {id(weight) for layer in network.layers for weight in _frozen(layer)}
    kept = [variable for variable in network.variables if id(variable) not in frozen]
    return [*kept, *network.optimizer.variables]


def _frozen(layer: keras.layers.Layer) -> list[keras.Variable]:
    if isinstance(layer, WordEmbedding):
        return layer.non_trainable_weights
    return [] if layer.trainable else layer.weights
