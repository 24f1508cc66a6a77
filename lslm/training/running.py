"""Running a network over its batches, from the first epoch or from one that was reached before."""

from typing import Any

import keras

from lslm.training import allocation
from lslm.training.batches import Batches
from lslm.training.streams import Streams


class MemoryKept(keras.callbacks.Callback):
    """Keeps freed memory where `allocation` was asked to, which TensorFlow sets back as it reads the first batch.

    Its reader of Python generators has glibc take each block of 128 kB and more from the system again
    (`ApplyPython311MemoryPatch` in TensorFlow 2.21).
    """

    async_safe = True
    """Keras need not wait for a step before it goes on to the next."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == 0:
            allocation.still_keep_freed_memory()


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
            callbacks=[watcher, MemoryKept()],
        )
