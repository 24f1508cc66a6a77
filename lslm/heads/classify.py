"""One label a document: sentiment, intent, topic."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from lslm.errors import InputError
from lslm.heads.batching import TOKENS
from lslm.heads.comparing import by_mcnemar
from lslm.heads.contract import Array, Classes, Encode, Goal, Head, Seen, Targets
from lslm.heads.seeds import layer_seeds
from lslm.heads.text_baselines import BASELINES, KEPT
from lslm.settings import Hyperparameters, Range, Section, Share
from lslm.statistics.calibration import expected_calibration_error
from lslm.statistics.resampling import Mean, OfConfusion, confusion

if TYPE_CHECKING:
    import keras

LINEAR = "linear"
"""Name of the linear model's layer."""
_MOST_NUMBERS = 2**28
"""In the linear model's table: 1 GiB. A graph cannot be stored above 2."""
_LEAST_PROBABILITY = 1e-7
"""Keeps the log loss of a label that was given no chance finite."""


class Options(Section):
    """A linear model of words and n-grams can answer beside the network (Wang & Manning 2012)."""

    linear: Share = 0.0
    """Its weight in the mean of both answers' logarithms of probabilities; 0 leaves it out."""
    linear_order: Annotated[int, Field(ge=1, le=5)] = 2
    """Words of its longest n-grams."""
    linear_buckets: Annotated[int, Field(ge=2, le=2**22)] = 2**18
    """Rows that n-grams of two words and more are hashed into; each word has a row of its own."""


def fit_targets(documents: pl.DataFrame, options: Section) -> Targets:
    """The sorted label set; missing labels or fewer than two raise InputError."""
    column = _labels(documents)
    labels = sorted(column.unique().to_list())
    if len(labels) < 2:
        raise InputError(
            f"every document is labelled {labels[0]!r}" if labels else "there is no document",
            where="label",
            right="at least two different labels to learn from",
        )
    return {"labels": labels}


def encode_targets(documents: pl.DataFrame, targets: Targets) -> Array:
    """Positions in the label set, int32 `(n,)`; a label that training never saw raises InputError."""
    position = {label: index for index, label in enumerate(targets["labels"])}
    labels = _labels(documents).to_list()
    unseen = sorted(set(labels) - position.keys())
    if unseen:
        raise InputError(
            f"labels {_listed(unseen)} are not among the documents trained on",
            where="label",
            right=f"one of: {_listed(list(position))}",
        )
    return np.fromiter((position[label] for label in labels), dtype=np.int32, count=len(labels))


def build(encode: Encode, targets: Targets, hyperparameters: Hyperparameters) -> "keras.Model":
    """The encoder, dropout and a softmax over the labels, `(batch, n_labels)`."""
    import keras
    from keras import initializers, layers

    options = Options.model_validate(hyperparameters.head)
    dropout_seed, kernel_seed = layer_seeds(hyperparameters.training.seed, "classify", 2)
    rate, n_labels = hyperparameters.encoder.head_dropout, len(targets["labels"])
    tokens = keras.Input((None,), dtype="int32", name=TOKENS)
    pooled = encode(tokens).pooled
    kept = layers.Dropout(rate, seed=dropout_seed, name="head_dropout")(pooled)
    probabilities = layers.Dense(
        n_labels,
        activation="linear" if options.linear else "softmax",
        kernel_initializer=initializers.GlorotUniform(seed=kernel_seed),
        name="scores" if options.linear else "probabilities",
        dtype="float32",
    )(kept)
    if options.linear:
        probabilities = _with_linear(probabilities, tokens, encode.n_words, options)
    return keras.Model(tokens, probabilities)


def _with_linear(
    scores: "keras.KerasTensor", tokens: "keras.KerasTensor", n_words: int, options: Options
) -> "keras.KerasTensor":
    """Probabilities by the network's scores and a linear model's."""
    from lslm.heads._linear import LinearNgrams, Mixed

    n_labels: Any = scores.shape[-1]
    buckets = options.linear_buckets if options.linear_order > 1 else 0
    if (n_words + buckets) * n_labels > _MOST_NUMBERS:
        raise InputError(
            f"a linear model of {n_words + buckets} rows and {n_labels} labels is larger than a model can be",
            where="head.options.linear_buckets",
            right=f"at most {max(0, _MOST_NUMBERS // n_labels - n_words)}",
        )
    linear = LinearNgrams(
        n_labels, n_words, options.linear_order, buckets, name=LINEAR, dtype="float32"
    )(tokens)
    return Mixed(options.linear, name="probabilities", dtype="float32")([scores, linear])


def begin(network: "keras.Model", part: Seen, hyperparameters: Hyperparameters) -> None:
    """Fit the linear model, where there is one, on the training documents."""
    if Options.model_validate(hyperparameters.head).linear:
        longest = HEAD.batching.longest(hyperparameters.training.max_tokens)
        network.get_layer(LINEAR).learn(part.training, longest)


def loss(hyperparameters: Hyperparameters) -> "keras.losses.Loss":
    """Cross-entropy against integer labels, smoothed as `training.label_smoothing` says."""
    from lslm.heads._losses import SmoothedCrossentropy

    return SmoothedCrossentropy(hyperparameters.training.label_smoothing)


def correct(truth: Array, outputs: Array) -> Array:
    """1.0 where the likeliest label is the true one, else 0.0, `(n,)`."""
    return (outputs.argmax(axis=1) == truth).astype(np.float64)


def surprise(truth: Array, outputs: Array) -> Array:
    """Minus the natural logarithm of the true label's probability, `(n,)`."""
    given = outputs[np.arange(len(truth)), truth].astype(np.float64)
    return -np.log(np.clip(given, _LEAST_PROBABILITY, 1.0))


def macro_f1(counts: Array) -> Array:
    """Mean F1 over the labels that occur or are predicted, from `(..., n_labels, n_labels)` counts."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    involved = counts.sum(axis=-1) + counts.sum(axis=-2)
    f1 = np.divide(2.0 * hits, involved, out=np.zeros(hits.shape), where=involved > 0)
    return f1.sum(axis=-1) / (involved > 0).sum(axis=-1)


def details(truth: Array, outputs: Array, targets: Targets) -> list[dict[str, Any]]:
    """A row a label: precision, recall, F1 (0 where undefined) and support."""
    counts = confusion(truth, outputs)
    hits, support, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    return [
        {
            "label": label,
            "precision": _share(hits[i], predicted[i]),
            "recall": _share(hits[i], support[i]),
            "f1": _share(2 * hits[i], support[i] + predicted[i]),
            "support": int(support[i]),
        }
        for i, label in enumerate(targets["labels"])
    ]


def label_set(targets: Targets) -> list[str]:
    """The label set, in the order of the outputs' columns."""
    return targets["labels"]


def decode(outputs: Array, targets: Targets, texts: Sequence[str]) -> list[dict[str, Any]]:
    """The likeliest label, its probability, and the probability of every label."""
    return [_decoded(row.tolist(), targets["labels"]) for row in outputs]


def _labels(documents: pl.DataFrame) -> pl.Series:
    column = documents["label"]
    if column.null_count():
        raise InputError(
            f"{column.null_count()} of {len(column)} documents have no label",
            where="label",
            right="a label for each document; put unlabelled text in corpus.outside",
        )
    return column


def _listed(labels: list[str], most: int = 20) -> str:
    shown = ", ".join(repr(label) for label in labels[:most])
    return f"{shown} and {len(labels) - most} more" if len(labels) > most else shown


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else 0.0


def _decoded(probabilities: list[float], labels: list[str]) -> dict[str, Any]:
    best = max(range(len(labels)), key=probabilities.__getitem__)
    return {
        "label": labels[best],
        "probability": probabilities[best],
        "probabilities": dict(zip(labels, probabilities, strict=True)),
    }


HEAD = Head(
    name="classify",
    options=Options,
    columns=("label",),
    fit_targets=fit_targets,
    encode_targets=encode_targets,
    build=build,
    begin=begin,
    searchable=("linear",),
    loss=loss,
    goal=Goal("accuracy", "maximize"),
    metrics={
        "accuracy": Mean(correct),
        "macro_f1": OfConfusion(macro_f1),
        "log_loss": Mean(surprise),
        "ece": expected_calibration_error,
    },
    example_scores=correct,
    details=details,
    decode=decode,
    baselines=BASELINES,
    kept=KEPT,
    compare=by_mcnemar,
    space={
        "encoder.head_dropout": Range(low=0.0, high=0.6, step=0.1),
        "training.label_smoothing": Range(low=0.0, high=0.2, step=0.05),
    },
    prediction_schema=(("label", "string"), ("probability", "double")),
    classes=Classes(names=label_set, column="label"),
)
