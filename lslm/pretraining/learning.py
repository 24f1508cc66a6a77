"""Fitting language models of one direction each. Runs in a training process, on one thread."""

from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np

from lslm.embeddings.vectors import Floats
from lslm.errors import InputError
from lslm.heads.language_model._layers import log_shares
from lslm.heads.language_model._losses import MeanCost
from lslm.pretraining import _network
from lslm.pretraining.outside import Outside, words_of
from lslm.pretraining.recipe import Recipe, Shape
from lslm.pretraining.weights import Reader
from lslm.pretraining.windows import Windows, examples, in_windows
from lslm.settings import PretrainingSettings, TrainingSettings
from lslm.text.store import Rows, Tokens
from lslm.text.vocabulary import Ids, Vocabulary
from lslm.training import running
from lslm.training.batches import Batches
from lslm.training.checkpoints import Checkpoint
from lslm.training.epochs import Epoch
from lslm.training.optimizers import optimizer
from lslm.training.parts import Examples

_COUNTED = 2**20
"""Tokens that are counted at a time: NumPy takes 8 bytes of memory for each."""


def of_outside(
    tokens: Path,
    vectors: Path,
    most_words: int,
    shape: Shape,
    direction: str,
    settings: PretrainingSettings,
    into: Path,
    checkpoint: Path | None = None,
    on_event: Callable[[Epoch], bool] = lambda epoch: True,
) -> list[float]:
    """Learn one direction from all documents of a store, with the vectors learned from it; the loss of each epoch.

    With `checkpoint` it goes on from the last epoch that is kept there.
    """
    store, known = Tokens(tokens), words_of(vectors, most_words)
    documents = _ids(store, np.arange(len(store)), known.vocabulary)
    windows = in_windows(documents, np.diff(store.offsets), settings.window, direction)
    kept = Checkpoint(checkpoint) if checkpoint else None
    reader, losses = learn(
        windows, known.vectors, shape, settings, settings.epochs, None, kept, on_event
    )
    reader.save(into)
    return losses


def of_part(
    store: Tokens,
    rows: Rows,
    vocabulary: Vocabulary,
    vectors: Floats,
    recipe: Recipe,
    checkpoint: Path | None = None,
    on_event: Callable[[Epoch], bool] = lambda epoch: True,
) -> tuple[dict[str, Reader], dict[str, list[float]]]:
    """Learn each direction from a part's training rows, going on from the outside text where there is any.

    Documents are read from `store` alone, which keeps note of them. Beside `checkpoint` each direction has a file
    of its own, and goes on from the last epoch that is kept there.
    """
    documents = list(_ids(store, rows, vocabulary))
    readers: dict[str, Reader] = {}
    losses: dict[str, list[float]] = {}
    for direction in recipe.shape.directions:
        windows = examples(documents, recipe.settings.window, direction)
        begun = _begun(recipe, direction, vocabulary, windows)
        epochs = recipe.settings.epochs if begun is None else recipe.settings.adapt_epochs
        kept = checkpoint and Checkpoint(checkpoint.with_stem(f"{checkpoint.stem}-{direction}"))
        readers[direction], losses[direction] = learn(
            windows, vectors, recipe.shape, recipe.settings, epochs, begun, kept, on_event
        )
    return readers, losses


def learn(
    windows: Examples,
    vectors: Floats,
    shape: Shape,
    settings: PretrainingSettings,
    epochs: int,
    begun: Reader | None,
    kept: Checkpoint | None = None,
    on_event: Callable[[Epoch], bool] = lambda epoch: True,
) -> tuple[Reader, list[float]]:
    """What a model of one direction came to, and the loss of each epoch.

    Text of which no document has two tokens raises InputError.
    """
    if not len(windows):
        raise InputError(
            "no document has two tokens",
            where="pretraining.language_model",
            right="text to learn a language model from",
        )
    keras.utils.clear_session()
    network = _network.build(vectors, shape, settings, settings.seed, begun)
    begin = begun.frequencies if begun else _frequencies(windows, len(vectors))
    _network.begin_with(network, begin)
    if not epochs:
        return _network.learned(network), []
    batches = Batches(
        windows, Windows(), -1, settings.batch_size, settings.window, seed=settings.seed
    )
    told = _fit(network, batches, settings, epochs, kept, on_event)
    return _network.learned(network), told


def _fit(
    network: keras.Model,
    batches: Batches,
    settings: PretrainingSettings,
    epochs: int,
    kept: Checkpoint | None,
    on_event: Callable[[Epoch], bool],
) -> list[float]:
    training = TrainingSettings(learning_rate=settings.learning_rate, schedule="linear")
    running.compiled(network, optimizer(training, n_steps=len(batches) * epochs), MeanCost())
    watcher = _Watcher(kept, on_event)
    watcher.done = kept.restore(network) if kept else []
    for epoch in watcher.done:
        on_event(epoch)
    running.go_on(network, batches, epochs, len(watcher.done), watcher)
    return [epoch.metrics["loss"] for epoch in watcher.done]


class _Watcher(keras.callbacks.Callback):
    """Keeps the state after each epoch, and tells of it."""

    def __init__(self, kept: Checkpoint | None, on_event: Callable[[Epoch], bool]) -> None:
        super().__init__()
        self.kept, self.on_event = kept, on_event
        self.done: list[Epoch] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.done.append(Epoch(epoch + 1, {"loss": float((logs or {})["loss"])}, 0.0))
        if self.kept:
            self.kept.save(self.model, self.done)
        # Whoever listens may raise, when the run is asked to stop: what is done is kept.
        self.on_event(self.done[-1])


def _begun(
    recipe: Recipe, direction: str, vocabulary: Vocabulary, windows: Examples
) -> Reader | None:
    if recipe.outside is None:
        return None
    known = Outside.load(recipe.outside)
    new = _frequencies(windows, len(vocabulary))
    return known.reader(direction).knowing(vocabulary.words, known.words, new)


def _ids(store: Tokens, rows: Rows, vocabulary: Vocabulary) -> Iterable[Ids]:
    """Documents as ids, one after the other."""
    ids = vocabulary.encode(store.types)
    return (ids[store.document(row)] for row in rows)


def _frequencies(windows: Examples, n_words: int) -> Floats:
    found = np.zeros(n_words, np.int64)
    for start in range(0, len(windows.flat), _COUNTED):
        found += np.bincount(windows.flat[start : start + _COUNTED], minlength=n_words)
    return log_shares(found)
