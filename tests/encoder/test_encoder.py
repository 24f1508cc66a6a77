from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lslm.encoder.encoder import encode
from lslm.encoder.precision import Precision, computing_in
from lslm.settings import EncoderSettings

N_WORDS, SIZE = 20, 6
VECTORS = np.random.default_rng(0).normal(size=(N_WORDS, SIZE)).astype(np.float32)
DROPPED: dict[str, Any] = {
    "embedding_dropout": 0.3,
    "spatial_dropout": 0.3,
    "recurrent_dropout": 0.3,
}
POOLINGS = ("attention", "max", "last", "attention+max")
KINDS = list(product(("lstm", "gru"), (1, 2), (True, False), POOLINGS))
SHORT = np.array([[5, 9, 3]], np.int32)
BATCH = np.zeros((3, 8), np.int32)
BATCH[0, :3] = SHORT
BATCH[1] = np.arange(2, 10)


def network(seed: int = 1, **changes: Any) -> keras.Model:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    settings = EncoderSettings.model_validate({"units": 4} | changes)
    encoded = encode(
        tokens, n_words=N_WORDS, size=SIZE, vectors=VECTORS, settings=settings, seed=seed
    )
    return keras.Model(tokens, [encoded.pooled, encoded.states])


def classifier(seed: int = 1, **changes: Any) -> keras.Model:
    model = network(seed=seed, **changes)
    top = keras.layers.Dense(
        2, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(seed)
    )
    model = keras.Model(model.input, top(model.outputs[0]))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(("cell", "layers", "bidirectional", "pooling"), KINDS)
def test_a_document_is_encoded_alike_however_far_it_is_padded(
    cell: str, layers: int, bidirectional: bool, pooling: str
) -> None:
    model = network(cell=cell, layers=layers, bidirectional=bidirectional, pooling=pooling)
    alone, among = model(SHORT), model(BATCH)
    np.testing.assert_allclose(among[0][:1], alone[0], atol=1e-6)
    np.testing.assert_allclose(among[1][:1, :3], alone[1], atol=1e-6)
    assert not np.asarray(among[1])[0, 3:].any()
    assert model.outputs[0].shape[1] == np.asarray(alone[0]).shape[1]


def test_ngrams_reach_the_head_beside_the_pooled_states() -> None:
    wide = {"ngrams": 3, "ngram_buckets": 97, "ngram_units": 5}
    narrow, model = network(), network(**wide)
    alone, among = model(SHORT)[0], model(BATCH)[0]
    np.testing.assert_allclose(among[:1], alone, atol=1e-6)
    assert not np.asarray(among)[2].any()
    assert model.outputs[0].shape[1] == narrow.outputs[0].shape[1] + 5
    swapped = np.asarray(model(SHORT[:, ::-1])[0])[0, -5:]
    assert np.abs(swapped - np.asarray(alone)[0, -5:]).max() > 1e-3


@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_empty_document_is_zero_and_trains_without_nan(
    pooling: str, precision: Precision
) -> None:
    with computing_in(precision):
        model = network(pooling=pooling, **DROPPED)
        learner = classifier(pooling=pooling, tuned_words=5, ngrams=2, **DROPPED)
    assert not np.asarray(model(BATCH)[0])[2].any()
    for _ in range(3):
        assert np.isfinite(learner.train_on_batch(BATCH, np.array([0, 1, 0])))
    assert all(np.isfinite(weight).all() for weight in learner.get_weights())


@pytest.mark.slow
def test_the_same_seed_learns_bit_for_bit_the_same() -> None:
    def losses(seed: int) -> list[float]:
        keras.utils.set_random_seed(int.from_bytes(np.random.bytes(3)))
        learner = classifier(seed=seed, layers=2, tuned_words=5, **DROPPED)
        return [float(learner.train_on_batch(BATCH, np.array([0, 1, 0]))) for _ in range(4)]

    first = losses(1)
    assert losses(1) == first
    assert losses(2) != first


def test_frozen_vectors_do_not_move_and_tuned_words_do() -> None:
    learner = classifier(tuned_words=3, spatial_dropout=0)
    embedding = learner.get_layer("embedding")
    for _ in range(3):
        learner.train_on_batch(BATCH, np.array([0, 1, 0]))
    np.testing.assert_array_equal(embedding.table, VECTORS)
    assert np.abs(np.asarray(embedding.difference)).sum(axis=1).all()


def test_a_network_comes_back_from_its_archive_with_its_settings(tmp_path: Path) -> None:
    model = classifier(cell="gru", layers=3, pooling="last", tuned_words=4, ngrams=2, **DROPPED)
    model.train_on_batch(BATCH, np.array([0, 1, 0]))
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    np.testing.assert_array_equal(model(BATCH), loaded(BATCH))
    for old, new in zip(model.layers, loaded.layers, strict=True):
        assert old.get_config() == new.get_config()
