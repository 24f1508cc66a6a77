"""Running a network over its batches, from the first epoch or from one that was reached before."""

import keras

from lslm.training.batches import Batches
from lslm.training.streams import Streams


def compiled(
    network: keras.Model, optimizer: keras.optimizers.Optimizer, loss: keras.losses.Loss
) -> None:
    """Make the network ready to learn."""
    network.compile(optimizer=optimizer, loss=loss)
    # Variables that the first step makes would have TensorFlow trace the step twice.
    network.optimizer.build(network.trainable_variables)


def go_on(
    network: keras.Model,
    batches: Batches | Streams,
    epochs: int,
    n_done: int,
    watcher: keras.callbacks.Callback,
) -> None:
    """Learn the epochs that are left, on batches in the order that they would have had; none, if all are done."""
    for _ in range(n_done):
        batches.on_epoch_end()
    if n_done < epochs:
        network.fit(
            batches,
            epochs=epochs,
            initial_epoch=n_done,
            shuffle=False,
            verbose=0,
            callbacks=[watcher],
        )
