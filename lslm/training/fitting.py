"""Fitting one network on one part. Runs in a worker process, on one thread."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.encoder.precision import computing_in
from lslm.errors import InputError
from lslm.heads.batching import ask, of_similar_length
from lslm.heads.contract import Array, Head
from lslm.settings import Hyperparameters, TrainingSettings
from lslm.training import feeds, paces, running
from lslm.training.batches import MULTIPLE, for_keras
from lslm.training.checkpoints import Checkpoint
from lslm.training.epochs import Epoch, Fit
from lslm.training.optimizers import optimizer
from lslm.training.parts import Examples, Part

_ANSWER_BATCH = 256
_LARGEST = 2**31 - 1
"""Bytes of an ONNX graph: the format holds no more in one file."""


def fit(
    part_folder: Path,
    head_kind: str,
    hyperparameters: Hyperparameters,
    seed: int,
    *,
    stop_early: bool,
    save: Path | None = None,
    checkpoint: Path | None = None,
    on_event: Callable[[Epoch], bool] = lambda epoch: True,
) -> Fit:
    """Fit a network on the part's training rows and answer for its validation rows.

    `on_event` hears of each epoch and returns False to stop. With `stop_early`, `patience` epochs
    without a better validation goal stop as well. The validation rows choose nothing else.

    With `checkpoint`, the state is kept there after each epoch, and a fit that finds one goes on from it;
    `on_event` then hears of the epochs before it again.
    """
    part, head = Part(part_folder, hyperparameters.encoder), heads.get(head_kind)
    keras.utils.clear_session()
    training = hyperparameters.training
    network = build(part, head, hyperparameters, seed)
    if head.begin is not None:
        head.begin(network, part, hyperparameters)
    batches = feeds.of(part, head, hyperparameters, seed)
    made = optimizer(
        training,
        n_steps=len(batches) * training.epochs,
        paces=paces.of(network, training, len(batches)) if part.recurrent else (),
    )
    running.compiled(network, made, head.loss(hyperparameters))
    kept = Checkpoint(checkpoint) if checkpoint else None
    watcher = _Watcher(part, head, training, stop_early, on_event, kept)
    n_done = watcher.catch_up(network)
    if not watcher.stopped:
        running.go_on(network, batches, training.epochs, n_done, watcher)
    if save is not None:
        network.save(save)
    return watcher.fit


def build(part: Part, head: Head, hyperparameters: Hyperparameters, seed: int) -> keras.Model:
    """The network: encoder and head, every layer seeded from `seed`. InputError if it could not be served."""
    part.check_shape(hyperparameters.encoder)
    encoder = Encoder(
        n_words=len(part.vocabulary),
        size=part.units,
        vectors=part.vectors,
        settings=hyperparameters.encoder,
        seed=seed,
        recurrent=part.recurrent,
    )
    with computing_in(hyperparameters.training.precision):
        network = head.build(
            encoder, part.targets, hyperparameters.replaced({"training.seed": seed})
        )
    _check_size(network, hyperparameters)
    return network


def _check_size(network: keras.Model, hyperparameters: Hyperparameters) -> None:
    """Refuse what would be found too large once it is trained. Members share what no gradient changes."""
    trained, kept = (
        sum(math.prod(weight.shape) for weight in weights)
        for weights in (network.trainable_weights, network.non_trainable_weights)
    )
    members, stored = hyperparameters.training.members, hyperparameters.encoder.stored
    n_bytes = (trained * members + kept) * np.dtype(stored).itemsize
    if n_bytes > _LARGEST:
        raise InputError(
            f"{members} network{'s' * (members > 1)} of {trained:,} trained weights, {n_bytes / 1e9:.1f} GB in "
            f"{stored}, are larger than a served model can be",
            where="training.members" if members > 1 else "embedding",
            right=f"at most {_LARGEST / 1e9:.1f} GB: fewer words (embedding.min_count), smaller vectors, fewer "
            "members, or encoder.stored of fewer bytes",
        )


def answer(
    network: keras.Model, head: Head, examples: Examples, mark: int, max_tokens: int
) -> Array:
    """Outputs of a network for all examples, in their order, first axis the documents."""
    longest = head.batching.longest(max_tokens)
    lengths = examples.lengths(longest)
    together = list(of_similar_length(lengths, _ANSWER_BATCH, head.batching.most_tokens))
    found: list[tuple[Array, Array]] = []
    # The longest batch, which may be a smaller one, goes first: a graph that was traced for one shape is traced
    # once more for all sizes of the axes that differ in the second batch, and here both do.
    for rows in reversed(together):
        documents = [examples.document(row, longest) for row in rows]
        (outputs,) = ask(
            head.batching,
            lambda inputs: [np.asarray(network.predict_on_batch(for_keras(inputs)))],
            documents,
            mark,
            MULTIPLE,
        )
        found.append((rows, head.batching.own(outputs, documents, mark)))
    order = np.concatenate([rows for rows, _ in found])
    return np.concatenate([values for _, values in found])[np.argsort(order)]


class _Watcher(keras.callbacks.Callback):
    """Scores the validation part after each epoch, reports, and stops when told."""

    def __init__(
        self,
        part: Part,
        head: Head,
        training: TrainingSettings,
        stop_early: bool,
        on_event: Callable[[Epoch], bool],
        kept: Checkpoint | None,
    ) -> None:
        super().__init__()
        self.validation, self.mark, self.head = part.validation, part.vocabulary.mark, head
        self.training, self.stop_early, self.on_event = training, stop_early, on_event
        self.kept, self.fit, self.stopped = kept, Fit(), False
        self.started = 0.0

    def catch_up(self, network: keras.Model) -> int:
        """Go on from the checkpoint, if there is one; how many epochs are done."""
        for done in self.kept.restore(network) if self.kept else []:
            self._heard(done)
        if self.fit.epochs and (self.stopped or len(self.fit.epochs) == self.training.epochs):
            self._answer(network)
        return len(self.fit.epochs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        metrics = {"loss": float((logs or {})["loss"])}
        # A fold's validation rows are scored once, when its fit is done.
        if self.stop_early or epoch + 1 == self.training.epochs:
            metrics |= self._answer(self.model)
        done = Epoch(epoch + 1, metrics, time.perf_counter() - self.started)
        if self.kept:
            self.kept.save(self.model, [*self.fit.epochs, done])
        self._heard(done)
        self.model.stop_training = self.stopped

    def _answer(self, network: keras.Model) -> dict[str, float]:
        """Answer for the validation part, and score that; nothing where there is none."""
        if not len(self.validation):
            return {}
        self.fit.outputs = answer(
            network, self.head, self.validation, self.mark, self.training.max_tokens
        )
        return {
            name: float(metric(self.validation.targets, self.fit.outputs))
            for name, metric in self.head.metrics.items()
        }

    def _heard(self, done: Epoch) -> None:
        self.fit.epochs.append(done)
        if not self.on_event(done) or (self.stop_early and self._stale(done)):
            self.stopped = True

    def _stale(self, done: Epoch) -> bool:
        return done.number - self.fit.best(self.head).number >= self.training.patience
