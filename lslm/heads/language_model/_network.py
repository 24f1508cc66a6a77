"""The network: tied words, a stack of LSTMs with variational dropout, the cost of each next token.

Merity, Keskar & Socher 2018 (AWD-LSTM). Dropout is the shared encoder's: `embedding_dropout` of whole
words, `spatial_dropout` of what goes into the first layer, `recurrent_dropout` between layers,
`head_dropout` of the last one's outputs; each drops the same units at every step of a batch.
"""

import keras
from keras import layers

from lslm.encoder.layers import WordDropout
from lslm.heads.batching import TOKENS
from lslm.heads.contract import Encode
from lslm.heads.language_model._layers import Calm, CarriedLstm, NextToken, TiedWords
from lslm.heads.language_model.options import Options
from lslm.heads.seeds import layer_seeds
from lslm.settings import Hyperparameters


def build(encode: Encode, options: Options, hyperparameters: Hyperparameters) -> keras.Model:
    """From tokens `(rows, time)` to nats `(rows, time - 1)`."""
    wanted, training = hyperparameters.encoder, hyperparameters.training
    seeds = iter(layer_seeds(training.seed, "language-model", 5 + 2 * wanted.layers))
    tokens = keras.Input((None,), dtype="int32", name=TOKENS)
    words = TiedWords(encode.n_words, encode.size, next(seeds), name="words")
    states, table = words(tokens)
    if encode.vectors is not None:
        words.begin(encode.vectors)
    dropped_words = WordDropout(wanted.embedding_dropout, next(seeds), name="embedding_dropout")
    states = dropped_words([states, tokens])
    states = layers.SpatialDropout1D(
        wanted.spatial_dropout, seed=next(seeds), name="spatial_dropout"
    )(states)
    plain = states
    for number in range(wanted.layers):
        last = number == wanted.layers - 1
        memory = CarriedLstm(
            wanted.units,
            training.batch_size,
            options.weight_dropout,
            next(seeds),
            name=f"memory_{number}",
        )
        plain = memory([states, tokens])
        rate = wanted.head_dropout if last else wanted.recurrent_dropout
        dropout = layers.SpatialDropout1D(rate, seed=next(seeds), name=f"memory_dropout_{number}")
        states = dropout(plain)
    states = Calm(options.activation, options.temporal, name="calm")([plain, states])
    if wanted.units != encode.size:
        drawn = keras.initializers.GlorotUniform(seed=next(seeds))
        states = layers.Dense(
            encode.size, use_bias=False, kernel_initializer=drawn, name="projection"
        )(states)
    # A sum over all words loses too much in 16 bits.
    cost = NextToken(
        encode.n_words,
        options.sampled_words,
        next(seeds),
        products=keras.config.dtype_policy().compute_dtype,
        name="next_token",
        dtype="float32",
    )
    return keras.Model(tokens, cost([states, tokens, table]))
