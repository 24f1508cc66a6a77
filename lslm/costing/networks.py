"""What a step of training costs, from the size of the network: rates fitted on a few measured ones.

    seconds a document = a_document + (a_step directions width + a_weight weights) / batch
                         + a_flop flops

`directions` are those of all layers, `width` the positions in time of a batch, `weights` those that the
optimizer moves: it goes over all of them at each step, however few the batch touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lslm import heads
from lslm.costing.rates import NetworkRate
from lslm.settings import EmbeddingSettings, EncoderSettings, Hyperparameters, Settings

_GATES = {"lstm": 4, "gru": 3}


@dataclass(frozen=True)
class Measured:
    """One network that was trained for a while in a training process."""

    hyperparameters: Hyperparameters
    build: float
    """Seconds before it learns, once."""
    document: float
    """Seconds a document takes in an epoch."""
    save: float
    """Seconds to keep it."""
    cells: float
    """Positions of a document in its batch, padding included."""
    width: float
    """Positions in time of a batch."""
    n_words: int


@dataclass(frozen=True)
class Size:
    """What of a network costs time."""

    flops: float
    """Of the recurrent layers forward, for one position of one document."""
    directions: int
    weights: float
    batch: int


def size(chosen: Hyperparameters, embedding: EmbeddingSettings, n_words: float) -> Size:
    """The size of a network whose vocabulary has `n_words` words."""
    encoder = chosen.encoder
    directions = 1 + encoder.bidirectional
    gates = _GATES[encoder.cell]
    units = encoder.vector_units or embedding.size
    inputs, flops, weights = units, 0.0, 0.0
    for _ in range(encoder.layers):
        matrix = gates * encoder.units * (inputs + encoder.units)
        flops += 2.0 * directions * matrix
        weights += directions * matrix
        inputs = directions * encoder.units
    weights += _trained_words(encoder, embedding, n_words) * units
    if encoder.ngrams > 1:
        weights += encoder.ngram_buckets * encoder.ngram_units
        flops += 2.0 * (encoder.ngrams - 1) * encoder.ngram_units
    return Size(flops, encoder.layers * directions, weights, chosen.training.batch_size)


def embedding_of(settings: Settings) -> EmbeddingSettings:
    """Its embedding; as one that is not pretrained, where the head trains every word all the same."""
    if "encoder.tuned_words" in heads.get(settings.head.kind).unused:
        return settings.embedding.model_copy(update={"method": "none"})
    return settings.embedding


def _trained_words(encoder: EncoderSettings, embedding: EmbeddingSettings, n_words: float) -> float:
    n_words = min(n_words, encoder.max_words or n_words)
    if embedding.method == "none":
        return n_words
    return min(encoder.tuned_words, n_words)


def seconds_a_document(rate: NetworkRate, network: Size) -> float:
    """Of training."""
    rates = np.array([rate.a_document, rate.a_step, rate.a_weight, rate.a_flop])
    return float(_features(network, rate.cells, rate.width) @ rates)


def fitted(
    measured: Sequence[Measured],
    embedding: EmbeddingSettings,
    *,
    begin: float,
    answer: float,
    score: float,
) -> NetworkRate:
    """Rates that give back what was measured, none of them below zero (least squares).

    `begin` and `answer` are what the first of the networks took, in a process that had trained before: the
    first network of a process waits for parts of Keras to load, so the quicker half of the others counts.
    """
    builds = sorted(each.build for each in measured)
    build = min(begin, float(np.mean(builds[: max(1, len(builds) // 2)])))
    from scipy.optimize import nnls

    rows = np.stack(
        [
            _features(size(each.hyperparameters, embedding, each.n_words), each.cells, each.width)
            for each in measured
        ]
    )
    took = np.array([each.document for each in measured])
    # Relative errors, and columns of like size.
    rows = rows / took[:, None]
    scale = rows.max(axis=0)
    scale[scale == 0] = 1.0
    found, _ = nnls(rows / scale, np.ones(len(took)))
    a_document, a_step, a_weight, a_flop = (found / scale).tolist()
    errors = np.abs(rows / scale @ found - 1)
    return NetworkRate(
        a_document=a_document,
        a_step=a_step,
        a_weight=a_weight,
        a_flop=a_flop,
        cells=measured[0].cells,
        width=measured[0].width,
        build=build,
        first_answer=begin - build,
        answer=answer / measured[0].document,
        score=score,
        save=measured[0].save,
        spread=float(errors.mean()),
    )


def different(
    tried: Sequence[Hyperparameters], embedding: EmbeddingSettings, n_words: float, n: int
) -> list[Hyperparameters]:
    """The first, and up to `n - 1` others as unlike it and each other in cost as can be."""
    sizes = np.array([_logs(size(each, embedding, n_words)) for each in tried])
    chosen = [0]
    while len(chosen) < n:
        distances = np.abs(sizes[:, None] - sizes[chosen]).sum(axis=2).min(axis=1)
        furthest = int(distances.argmax())
        if distances[furthest] < _ALIKE:
            break
        chosen.append(furthest)
    return [tried[place] for place in chosen]


_ALIKE = 0.05
"""Networks nearer than this (sum of differences of logarithms) cost the same."""


def _logs(network: Size) -> list[float]:
    values = (network.flops, network.directions, network.weights, network.batch)
    return np.log(values).tolist()


def _features(network: Size, cells: float, width: float) -> NDArray[np.float64]:
    return np.array(
        [
            1.0,
            network.directions * width / network.batch,
            network.weights / network.batch,
            network.flops * cells,
        ]
    )
