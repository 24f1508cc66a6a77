"""A network that goes on from a checkpoint is the one that was never cut off."""

from pathlib import Path

import keras
import numpy as np

from lslm.encoder.layers import WordEmbedding
from lslm.training import running
from lslm.training.checkpoints import Checkpoint
from lslm.training.epochs import Epoch

N_WORDS, SIZE = 5000, 8
ONE_TABLE = N_WORDS * SIZE * 4
EPOCHS = [Epoch(1, {"loss": 0.5}, 0.1)]
TOKENS = np.random.default_rng(0).integers(2, N_WORDS, (16, 6), dtype=np.int32)
WANTED = np.random.default_rng(1).normal(size=(16, 1))


def made() -> keras.Model:
    """Frozen words, a frozen layer, and one whose means move without being trained."""
    layers, draw = keras.layers, keras.initializers
    tokens = keras.Input((6,), dtype="int32")
    words = WordEmbedding(N_WORDS, SIZE, pretrained=True, tuned_words=3, name="words")
    states = words(tokens)
    words.table.assign(np.random.default_rng(2).normal(size=(N_WORDS, SIZE)))
    fixed = layers.Embedding(N_WORDS, SIZE, draw.RandomUniform(seed=3), trainable=False)
    states = layers.BatchNormalization()(layers.Add()([states, fixed(tokens)]))
    states = layers.Dropout(0.3, seed=4)(layers.GlobalAveragePooling1D()(states))
    said = layers.Dense(1, kernel_initializer=draw.GlorotUniform(5))(states)
    network = keras.Model(tokens, said)
    running.compiled(network, keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError())
    return network


def learn(network: keras.Model, n_steps: int) -> None:
    for _ in range(n_steps):
        network.train_on_batch(TOKENS, WANTED)


def test_it_goes_on_with_what_changes_without_being_trained(tmp_path: Path) -> None:
    undisturbed, cut, again = made(), made(), made()
    learn(undisturbed, 4)
    learn(cut, 2)
    kept = Checkpoint(tmp_path / "state.npz")
    kept.save(cut, EPOCHS)
    assert kept.restore(again) == EPOCHS
    learn(again, 2)
    for found, expected in zip(again.get_weights(), undisturbed.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.array_equal(again.predict_on_batch(TOKENS), undisturbed.predict_on_batch(TOKENS))


def test_what_is_frozen_is_left_out(tmp_path: Path) -> None:
    network = made()
    learn(network, 1)
    Checkpoint(tmp_path / "state.npz").save(network, EPOCHS)
    assert (tmp_path / "state.npz").stat().st_size < ONE_TABLE / 4
