"""A language model of one direction, whose recurrent layer is the first one of the encoder."""

import keras
import numpy as np
from keras import layers

from lslm.embeddings.vectors import Floats
from lslm.encoder.layers import Recurrent, TokenMask
from lslm.heads.batching import TOKENS
from lslm.heads.language_model._layers import NextToken, TiedWords
from lslm.heads.seeds import layer_seeds
from lslm.pretraining.recipe import Shape
from lslm.pretraining.weights import Reader
from lslm.settings import PretrainingSettings

_CELL, _SAYS, _NEXT = "recurrent", "projection", "next_token"


def build(
    vectors: Floats, shape: Shape, settings: PretrainingSettings, seed: int, begun: Reader | None
) -> keras.Model:
    """From tokens `(rows, time)` to nats `(rows, time - 1)`.

    The vectors `(n_words, size)` are read and predicted with, and stay as they are: a trained table of all words
    would take most of a step, and what a training part makes of its vectors would be lost on it.
    """
    n_words, size = vectors.shape
    seeds = iter(layer_seeds(seed, "pretraining", 5))
    tokens = keras.Input((None,), dtype="int32", name=TOKENS)
    words = TiedWords(n_words, size, next(seeds), name="words", trainable=False)
    states, table = words(tokens)
    words.table.assign(vectors)
    states = layers.SpatialDropout1D(settings.dropout, seed=next(seeds))(states)
    cell = Recurrent(shape.units, shape.cell, bidirectional=False, seed=next(seeds), name=_CELL)
    states = cell([states, TokenMask()(tokens)])
    states = layers.SpatialDropout1D(settings.dropout, seed=next(seeds))(states)
    # From zeros, a model begins by saying how frequent words are, and nothing of what it has read.
    said = layers.Dense(size, use_bias=False, kernel_initializer="zeros", name=_SAYS)(states)
    cost = NextToken(n_words, settings.sampled_words, next(seeds), name=_NEXT)
    network = keras.Model(tokens, cost([said, tokens, table]))
    if begun is not None:
        cell.set_weights(begun.recurrent)
        network.get_layer(_SAYS).set_weights([begun.projection])
    return network


def begin_with(network: keras.Model, frequencies: Floats) -> None:
    """Put what is added to the words' logits, `(n_words,)`."""
    network.get_layer(_NEXT).set_weights([frequencies])


def learned(network: keras.Model) -> Reader:
    """What the network came to."""
    recurrent, projection, frequencies = (
        [np.asarray(each) for each in network.get_layer(name).get_weights()]
        for name in (_CELL, _SAYS, _NEXT)
    )
    # The last of them may be the state of the draws.
    return Reader(tuple(recurrent[:3]), projection[0], frequencies[0])
