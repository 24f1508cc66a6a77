"""The hierarchical network: words to sentences by the shared encoder, sentences to a document.

Nallapati, Zhai & Zhou 2017 (SummaRuNNer) stack the same two levels; here features of the sentences join
the upper one.
"""

import keras
from keras import initializers, layers

from lslm.encoder.layers import Recurrent
from lslm.heads.batching import TOKENS
from lslm.heads.contract import Encode
from lslm.heads.seeds import layer_seeds
from lslm.heads.summarize._layers import Regrouped, SentenceMask, Sentences
from lslm.heads.summarize.features import NAMES
from lslm.heads.summarize.grid import FEATURES
from lslm.settings import Hyperparameters


def build(encode: Encode, units: int, hyperparameters: Hyperparameters) -> keras.Model:
    """From tokens `(rows, sentences, words)` and features to probabilities `(rows, sentences, 1)`."""
    seeds = layer_seeds(hyperparameters.training.seed, "summarize", 5)
    rate = hyperparameters.encoder.head_dropout
    tokens = keras.Input((None, None), dtype="int32", name=TOKENS)
    features = keras.Input((None, len(NAMES)), name=FEATURES)
    sentences = encode(Sentences(name="sentences")(tokens))
    vectors = Regrouped(name="regrouped")([sentences.pooled, tokens])
    vectors = layers.Dropout(rate, seed=seeds[0], name="sentence_dropout")(vectors)
    mask = SentenceMask(name="sentence_mask")(tokens)
    joined = layers.Concatenate(name="described")([vectors, features])
    states = Recurrent(units, "lstm", True, seeds[1], name="over_sentences")([joined, mask])
    states = layers.Concatenate(name="both_levels")([states, vectors, features])
    states = layers.Dropout(rate, seed=seeds[2], name="head_dropout")(states)
    hidden = layers.Dense(
        units,
        activation="relu",
        kernel_initializer=initializers.GlorotUniform(seed=seeds[3]),
        name="hidden",
    )(states)
    outputs = layers.Dense(
        1,
        activation="sigmoid",
        kernel_initializer=initializers.GlorotUniform(seed=seeds[4]),
        name="probabilities",
        dtype="float32",
    )(hidden)
    return keras.Model([tokens, features], outputs)
