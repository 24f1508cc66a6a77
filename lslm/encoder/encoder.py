"""The encoder every head shares: from tokens to states, and to one vector a document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import KerasTensor
from numpy.typing import NDArray

from lslm.encoder.layers import (
    AttentionPooling,
    LastState,
    MaxPooling,
    Recurrent,
    TokenMask,
    WordDropout,
    WordEmbedding,
)
from lslm.encoder.ngrams import HashedNgrams
from lslm.settings import EncoderSettings

WORDS, FIRST = "embedding", "recurrent_0"
"""Names of the layers that can begin pretrained."""


@dataclass(frozen=True)
class Encoded:
    """What a head builds on."""

    states: KerasTensor
    """`(batch, time, features)`, zero at padding."""
    mask: KerasTensor
    """`(batch, time)`, true where a token is."""
    pooled: KerasTensor
    """`(batch, pooled_units)`, with the n-grams at the end; zero for an empty document."""
    attention: KerasTensor | None
    """`(batch, time)`, sums to 1 over a document; None where the pooling has none."""


@dataclass(frozen=True)
class Encoder:
    """The encoder before it is built, as heads are given it: see `encode` for the fields."""

    n_words: int
    size: int
    vectors: NDArray[np.float32] | None
    settings: EncoderSettings
    seed: int
    recurrent: Sequence[NDArray[np.float32]] | None = None

    def __call__(self, tokens: KerasTensor) -> Encoded:
        """Build it on tokens `(batch, time)`."""
        return encode(
            tokens,
            n_words=self.n_words,
            size=self.size,
            vectors=self.vectors,
            settings=self.settings,
            seed=self.seed,
            recurrent=self.recurrent,
        )


def encode(
    tokens: KerasTensor,
    *,
    n_words: int,
    size: int,
    vectors: NDArray[np.float32] | None,
    settings: EncoderSettings,
    seed: int,
    recurrent: Sequence[NDArray[np.float32]] | None = None,
) -> Encoded:
    """Build the encoder on tokens `(batch, time)`, padded on the right with 0.

    `vectors` `(n_words, size)` are frozen but for `settings.tuned_words`; None trains the whole table.
    `recurrent` are pretrained weights of the first recurrent layer, in its order; the others begin anew.
    Each layer draws from its own seed, made from `seed`: the same seed gives the same network, bit
    for bit, whatever else the process draws.
    """
    seeds = _seeds(seed)
    mask = TokenMask(name="mask")(tokens)
    states = _embed(tokens, n_words, size, vectors, settings, seeds)
    for number in range(settings.layers):
        layer = Recurrent(
            settings.units,
            settings.cell,
            settings.bidirectional,
            next(seeds),
            name=FIRST if number == 0 else f"recurrent_{number}",
        )
        outputs = layer([states, mask])
        if number == 0 and recurrent is not None:
            layer.set_weights(recurrent)
        states = _drop_units(
            outputs, settings.recurrent_dropout, seeds, f"recurrent_dropout_{number}"
        )
    pooled, attention = _pool(states, mask, settings, next(seeds))
    if settings.ngrams > 1:
        wide = HashedNgrams(
            settings.ngrams,
            settings.ngram_buckets,
            settings.ngram_units,
            next(seeds),
            name="ngrams",
        )
        pooled = keras.layers.Concatenate(name="wide")([pooled, wide(tokens)])
    return Encoded(states, mask, pooled, attention)


def _embed(
    tokens: KerasTensor,
    n_words: int,
    size: int,
    vectors: NDArray[np.float32] | None,
    settings: EncoderSettings,
    seeds: Iterator[int],
) -> KerasTensor:
    embedding = WordEmbedding(
        n_words, size, vectors is not None, settings.tuned_words, next(seeds), name=WORDS
    )
    states = embedding(tokens)
    if vectors is not None:
        embedding.table.assign(vectors)
    if settings.embedding_dropout:
        dropout = WordDropout(settings.embedding_dropout, next(seeds), name="embedding_dropout")
        states = dropout([states, tokens])
    return _drop_units(states, settings.spatial_dropout, seeds, "spatial_dropout")


def _drop_units(states: KerasTensor, rate: float, seeds: Iterator[int], name: str) -> KerasTensor:
    """Drop whole units over the document, the same at every step."""
    if not rate:
        return states
    return keras.layers.SpatialDropout1D(rate, seed=next(seeds), name=name)(states)


def _pool(
    states: KerasTensor, mask: KerasTensor, settings: EncoderSettings, seed: int
) -> tuple[KerasTensor, KerasTensor | None]:
    if settings.pooling == "last":
        return LastState(settings.bidirectional, name="last")([states, mask]), None
    if settings.pooling == "max":
        return MaxPooling(name="max")([states, mask]), None
    pooled, attention = AttentionPooling(seed, name="attention")([states, mask])
    if settings.pooling == "attention":
        return pooled, attention
    highest = MaxPooling(name="max")([states, mask])
    return keras.layers.Concatenate(name="pooled")([pooled, highest]), attention


def _seeds(seed: int) -> Iterator[int]:
    """Seeds that share nothing with those of a neighbouring `seed`."""
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31 - 2))
