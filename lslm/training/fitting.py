"""Fitting one network on one part. Runs in a worker process, on one thread."""

import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from lslm import heads
from lslm.encoder.encoder import encode
from lslm.heads.contract import Array, Head, Targets
from lslm.settings import Hyperparameters, TrainingSettings
from lslm.text.vocabulary import Ids
from lslm.training.batches import Batches, in_order, padded
from lslm.training.epochs import Epoch, Fit
from lslm.training.parts import Examples, Part

_ANSWER_BATCH = 256


def fit(
    part_folder: Path,
    head_kind: str,
    hyperparameters: Hyperparameters,
    seed: int,
    *,
    stop_early: bool,
    save: Path | None = None,
    on_event: Callable[[Epoch], bool] = lambda epoch: True,
) -> Fit:
    """Fit a network on the part's training rows and answer for its validation rows.

    `on_event` hears of each epoch and returns False to stop. With `stop_early`, `patience` epochs
    without a better validation goal stop as well. The validation rows choose nothing else.
    """
    part, head = Part(part_folder), heads.get(head_kind)
    keras.utils.clear_session()
    training = hyperparameters.training
    network = build(part, head, hyperparameters, seed)
    batches = Batches(part.training, training.batch_size, training.max_tokens, seed)
    network.compile(
        optimizer=_optimizer(training, n_steps=len(batches) * training.epochs),
        loss=head.loss(hyperparameters),
    )
    watcher = _Watcher(part.validation, part.targets, head, training, stop_early, on_event)
    network.fit(batches, epochs=training.epochs, shuffle=False, verbose=0, callbacks=[watcher])
    if save is not None:
        network.save(save)
    return watcher.fit


def build(part: Part, head: Head, hyperparameters: Hyperparameters, seed: int) -> keras.Model:
    """The network: encoder and head, every layer seeded from `seed`."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    encoded = encode(
        tokens,
        n_words=len(part.vocabulary),
        size=part.report["size"],
        vectors=part.vectors,
        settings=hyperparameters.encoder,
        seed=seed,
    )
    seeded = hyperparameters.replaced({"training.seed": seed})
    return keras.Model(tokens, head.build(encoded, part.targets, seeded))


def answer(network: keras.Model, examples: Examples, longest: int) -> Array:
    """Outputs of a network for all examples, in their order, `(n, ...)`."""
    lengths = examples.lengths(longest)
    outputs: list[tuple[Array, Array]] = []
    for rows in in_order(lengths, _ANSWER_BATCH):
        ids: Ids = padded(examples, rows, longest)
        outputs.append((rows, np.asarray(network.predict_on_batch(ids))))
    order = np.concatenate([rows for rows, _ in outputs])
    return np.concatenate([values for _, values in outputs])[np.argsort(order)]


def _optimizer(training: TrainingSettings, n_steps: int) -> keras.optimizers.Optimizer:
    schedules = keras.optimizers.schedules
    rate = {
        "constant": lambda: training.learning_rate,
        "cosine": lambda: schedules.CosineDecay(training.learning_rate, n_steps),
        "linear": lambda: schedules.PolynomialDecay(training.learning_rate, n_steps, 0.0),
    }[training.schedule]()
    return keras.optimizers.AdamW(
        rate, weight_decay=training.weight_decay, global_clipnorm=training.clip_norm
    )


class _Watcher(keras.callbacks.Callback):
    """Scores the validation part after each epoch, reports, and stops when told."""

    def __init__(
        self,
        validation: Examples,
        targets: Targets,
        head: Head,
        training: TrainingSettings,
        stop_early: bool,
        on_event: Callable[[Epoch], bool],
    ) -> None:
        super().__init__()
        self.validation, self.targets, self.head = validation, targets, head
        self.training, self.stop_early, self.on_event = training, stop_early, on_event
        self.fit = Fit()
        self.started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        metrics = {"loss": float((logs or {})["loss"])}
        # A fold's validation rows are scored once, when its fit is done.
        if len(self.validation) and (self.stop_early or epoch + 1 == self.training.epochs):
            self.fit.outputs = answer(self.model, self.validation, self.training.max_tokens)
            metrics |= {
                name: float(metric(self.validation.targets, self.fit.outputs))
                for name, metric in self.head.metrics.items()
            }
        done = Epoch(epoch + 1, metrics, time.perf_counter() - self.started)
        self.fit.epochs.append(done)
        if not self.on_event(done) or (self.stop_early and self._stale(done)):
            self.model.stop_training = True

    def _stale(self, done: Epoch) -> bool:
        return done.number - self.fit.best(self.head).number >= self.training.patience
