"""A search as tutorials show it, for `benchmarks.search`: one process, no pruning, one length for all.

    python -m benchmarks.plain_search JOB.json

The job (see `Job`) names documents that are already cut into tokens, vectors of words, the rows to learn
from and to score, and the space. Optuna's TPE tries one configuration after the other, in memory; each is
fitted for all its epochs by `model.fit`, with TensorFlow's own threads; the best, by its best epoch, is
cross-validated, for all epochs again. Nothing of `lslm` is used but the cut of long documents, which keeps their
head and tail.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import optuna
import polars as pl
from numpy.typing import NDArray

from lslm.text.vocabulary import cut

Floats = NDArray[np.float32]
PADDING, UNKNOWN = 0, 1


@dataclass(frozen=True)
class Job:
    """What is to be done, as the JSON file says it."""

    documents: str
    """A Parquet file: `text`, tokens with a space between two, and `label`."""
    vectors: str
    """A folder with `words.json` and `vectors.npy`, pretrained."""
    answer: str
    """The JSON file that is written."""
    training: list[int]
    """Rows that trials learn from."""
    validation: list[int]
    """Rows that choose."""
    folds: list[tuple[list[int], list[int]]]
    """Rows to learn from and rows to score."""
    space: dict[str, Any]
    """By name: a list of choices, or a range with `low`, `high` and, if they are set, `step` and `log`."""
    start: dict[str, Any]
    """The first configuration."""
    n_trials: int
    epochs: int
    batch_size: int
    clip_norm: float
    max_tokens: int | None = None
    """Longer documents are cut; None: every document is padded to the longest of all."""
    seed: int = 0

    @classmethod
    def load(cls, path: Path) -> "Job":
        """Read the JSON file."""
        return cls(**json.loads(path.read_text("utf-8")))


@dataclass(frozen=True)
class Side:
    """Rows as the network takes them."""

    tokens: NDArray[np.int32]
    """`(documents, time)`, 0 at padding."""
    labels: NDArray[np.int32]


class Corpus:
    """The documents as words."""

    def __init__(self, job: Job) -> None:
        frame = pl.read_parquet(job.documents)
        self.documents = [text.split(" ") for text in frame["text"]]
        names = sorted(frame["label"].unique())
        self.n_labels = len(names)
        self.labels = np.array([names.index(label) for label in frame["label"]], np.int32)
        longest = max(map(len, self.documents))
        self.width = min(longest, job.max_tokens or longest)

    def side(self, rows: list[int], words: list[str]) -> Side:
        """Rows as a network takes them that knows these words."""
        ids = {word: number for number, word in enumerate(words, start=UNKNOWN + 1)}
        known = [[ids.get(word, UNKNOWN) for word in self.documents[row]] for row in rows]
        short = [cut(np.array(each, np.int32), self.width) for each in known]
        padded = keras.utils.pad_sequences(short, maxlen=self.width, value=PADDING)
        return Side(padded, self.labels[rows])


def pretrained(folder: Path) -> tuple[list[str], Floats]:
    """The words, and their vectors after those of padding and the unknown word."""
    words = json.loads((folder / "words.json").read_text("utf-8"))
    vectors = np.load(folder / "vectors.npy")
    vectors = (vectors - vectors.mean(axis=0)) / vectors.std()
    return words, np.concatenate([np.zeros((UNKNOWN + 1, vectors.shape[1])), vectors])


def build(values: dict[str, Any], job: Job, vectors: Floats, n_labels: int, n: int) -> keras.Model:
    """The network of the pipeline, in the layers that Keras has; `n` documents to learn from."""
    layers = keras.layers
    cell = {"lstm": layers.LSTM, "gru": layers.GRU}[values["encoder.cell"]]
    network = keras.Sequential(
        [
            layers.Embedding(*vectors.shape, weights=[vectors], trainable=False),
            layers.SpatialDropout1D(values["encoder.spatial_dropout"]),
            layers.Bidirectional(cell(values["encoder.units"], return_sequences=True)),
            layers.GlobalMaxPooling1D(),
            layers.Dropout(values["encoder.head_dropout"]),
            layers.Dense(n_labels, activation="softmax"),
        ]
    )
    n_steps = job.epochs * -(-n // job.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(values["training.learning_rate"], n_steps)
    network.compile(
        optimizer=keras.optimizers.AdamW(
            rate,
            weight_decay=values["training.weight_decay"],
            global_clipnorm=job.clip_norm,
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return network


def suggest(trial: optuna.Trial, space: dict[str, Any]) -> dict[str, Any]:
    """One value for each name."""
    return {
        name: trial.suggest_float(name, **choices)
        if isinstance(choices, dict)
        else trial.suggest_categorical(name, choices)
        for name, choices in space.items()
    }


def main() -> None:
    """Search, cross-validate, write what came out."""
    job = Job.load(Path(sys.argv[1]))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    corpus = Corpus(job)
    began, spent = time.perf_counter(), time.process_time()
    words, vectors = pretrained(Path(job.vectors))
    training, validation = corpus.side(job.training, words), corpus.side(job.validation, words)
    curve: list[dict[str, float]] = []

    def objective(trial: optuna.Trial) -> float:
        values = suggest(trial, job.space)
        keras.utils.set_random_seed(job.seed)
        network = build(values, job, vectors, corpus.n_labels, len(training.labels))
        history = network.fit(
            training.tokens,
            training.labels,
            validation_data=(validation.tokens, validation.labels),
            batch_size=job.batch_size,
            epochs=job.epochs,
            verbose=0,
        ).history
        value = max(history["val_accuracy"])
        curve.append({"seconds": time.perf_counter() - began, "value": value})
        return value

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=job.seed)
    )
    study.enqueue_trial(job.start)
    study.optimize(objective, n_trials=job.n_trials, n_jobs=1)
    searched, best = time.perf_counter(), study.best_params
    accuracy = cross_validated(job, corpus, words, vectors, best)
    answer = {
        "search": searched - began,
        "folds": time.perf_counter() - searched,
        "processor": time.process_time() - spent,
        "curve": curve,
        "n_trials": len(curve),
        "accuracy": accuracy,
        "best": best,
        "note": f"every document {corpus.width} tokens long",
    }
    Path(job.answer).write_text(json.dumps(answer), encoding="utf-8")


def cross_validated(
    job: Job, corpus: Corpus, words: list[str], vectors: Floats, values: dict[str, Any]
) -> float:
    """Accuracy on all folds together."""
    right = [
        fold_score(job, corpus.side(given, words), corpus.side(held, words), vectors, values)
        for given, held in job.folds
    ]
    return float(np.concatenate(right).mean())


def fold_score(
    job: Job, given: Side, asked: Side, vectors: Floats, values: dict[str, Any]
) -> NDArray[np.bool_]:
    """Whether each answer for the rows held back is right."""
    keras.utils.set_random_seed(job.seed)
    n_labels = int(given.labels.max()) + 1
    network = build(values, job, vectors, n_labels, len(given.labels))
    network.fit(given.tokens, given.labels, batch_size=job.batch_size, epochs=job.epochs, verbose=0)
    answers = np.asarray(network.predict(asked.tokens, batch_size=256, verbose=0))
    return answers.argmax(axis=1) == asked.labels


if __name__ == "__main__":
    main()
