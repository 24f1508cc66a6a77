from typing import Literal

import keras
import numpy as np
import pytest

from lslm.encoder.layers import (
    AttentionPooling,
    LastState,
    MaxPooling,
    Recurrent,
    WordDropout,
    WordEmbedding,
)

STATES = np.array([[[1.0, 5.0], [3.0, -2.0], [9.0, 9.0]], [[7.0, 7.0]] * 3], np.float32)
MASK = np.array([[True, True, False], [False, False, False]])


def test_max_pooling_leaves_padding_out() -> None:
    np.testing.assert_array_equal(MaxPooling()([STATES, MASK]), [[3, 5], [0, 0]])


def test_last_state_is_the_last_tokens_forward_and_the_firsts_backward() -> None:
    states = STATES * MASK[..., None]
    np.testing.assert_array_equal(LastState(bidirectional=False)([states, MASK]), [[3, -2], [0, 0]])
    np.testing.assert_array_equal(LastState(bidirectional=True)([states, MASK]), [[3, 5], [0, 0]])


def test_attention_is_a_mean_weighted_by_a_softmax_over_tokens() -> None:
    layer = AttentionPooling()
    layer.build([STATES.shape, MASK.shape])
    layer.query.assign([[1.0], [-1.0]])
    pooled, weights = (np.asarray(value) for value in layer([STATES, MASK]))
    scores = np.exp(np.tanh(STATES[0, :2]) @ [1.0, -1.0])
    expected = scores / scores.sum()
    np.testing.assert_allclose(weights, [[*expected, 0], [0, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(pooled, [expected @ STATES[0, :2], [0, 0]], atol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_recurrent_equals_keras_with_a_mask(cell: Literal["lstm", "gru"]) -> None:
    random = np.random.default_rng(0)
    states = random.normal(size=(3, 7, 4)).astype(np.float32)
    mask = np.arange(7) < np.array([[7], [3], [1]])
    ours = Recurrent(5, cell, bidirectional=True)
    outputs = np.asarray(ours([states, mask]))
    kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
    theirs = keras.layers.Bidirectional(kind(5, return_sequences=True))
    theirs.build(states.shape)
    theirs.set_weights(ours.get_weights())
    expected = np.asarray(theirs(states, mask=mask)) * mask[..., None]
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_only_the_first_words_of_pretrained_vectors_are_tuned() -> None:
    layer = WordEmbedding(n_words=6, size=2, pretrained=True, tuned_words=2)
    layer.build((None, None))
    table = np.arange(12, dtype=np.float32).reshape(6, 2)
    layer.table.assign(table)
    layer.difference.assign([[10, 10], [20, 20]])
    change = np.array([0, 0, 10, 20, 0, 0])[:, None]
    np.testing.assert_array_equal(layer(np.arange(6)[None])[0], table + change)
    assert [weight.name for weight in layer.trainable_weights] == ["difference"]


def test_without_pretrained_vectors_the_whole_table_is_trained() -> None:
    layer = WordEmbedding(n_words=6, size=2, pretrained=False, tuned_words=2)
    layer.build((None, None))
    assert [weight.shape for weight in layer.trainable_weights] == [(6, 2)]


def test_word_dropout_drops_a_word_wherever_it_stands_in_a_document() -> None:
    tokens = np.tile(np.array([[2, 3, 2, 3, 4, 2]], np.int32), (200, 1))
    kept = np.asarray(WordDropout(0.4, seed=1)([np.ones((200, 6, 3)), tokens], training=True))
    np.testing.assert_allclose(kept[kept > 0], 1 / 0.6, rtol=1e-6)
    np.testing.assert_array_equal(kept[:, 0], kept[:, 2])
    np.testing.assert_array_equal(kept[:, 1], kept[:, 3])
    assert (kept[:, 0] != kept[:, 1]).any()
    assert kept.mean() == pytest.approx(1, abs=0.1)
