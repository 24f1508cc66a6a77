"""The layers do what their papers say, and carry what they should."""

import keras
import numpy as np
import pytest
from keras import ops

from lslm.heads.language_model._layers import NEVER, Calm, CarriedLstm, NextToken, TiedWords
from lslm.heads.language_model._losses import MeanCost

RANDOM = np.random.default_rng(0)
TOKENS = np.array([[2, 3, 4, 5, 3, 2], [2, 4, 4, 3, 5, 2]], np.int32)
STATES = RANDOM.normal(size=(2, 6, 3)).astype(np.float32)


def memory(**options: float) -> CarriedLstm:
    layer = CarriedLstm(4, 2, seed=1, **options)
    layer([STATES, TOKENS])
    return layer


def run(layer: CarriedLstm, steps: slice, training: bool = True) -> np.ndarray:
    return np.asarray(layer([STATES[:, steps], TOKENS[:, steps]], training=training))


def test_words_begin_with_vectors_as_large_as_drawn_ones() -> None:
    words = TiedWords(500, 20, seed=1)
    words(TOKENS)
    drawn = np.asarray(words.table)
    vectors = RANDOM.normal(size=(500, 20))
    vectors[:2] = 0
    words.begin(vectors)
    begun = np.asarray(words.table)
    assert np.array_equal(begun[:2], drawn[:2])
    np.testing.assert_allclose(begun[2:] / begun[2, 0], vectors[2:] / vectors[2, 0], rtol=1e-4)
    assert begun[2:].std() == pytest.approx(drawn.std(), rel=0.03)


def test_it_is_keras_s_lstm() -> None:
    layer = memory()
    peer = keras.layers.LSTM(4, return_sequences=True)
    peer.build((None, None, 3))
    peer.set_weights([np.asarray(w) for w in (layer.kernel, layer.recurrent, layer.bias)])
    assert np.allclose(run(layer, slice(None), training=False), peer(STATES), atol=1e-6)


def test_a_row_goes_on_where_the_last_batch_ended() -> None:
    whole = run(memory(), slice(None))
    layer = memory()
    # The last token of a piece is the first of the next (`lslm.training.streams`).
    pieces = [run(layer, slice(0, 3))[:, :-1], run(layer, slice(2, 6))]
    assert np.allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)


def test_answering_carries_nothing_and_leaves_the_state() -> None:
    layer = memory()
    run(layer, slice(0, 3))
    kept = [np.asarray(value) for value in layer.kept]
    first, second = (run(layer, slice(None), training=False) for _ in range(2))
    assert np.array_equal(first, second)
    for before, after in zip(kept, layer.kept, strict=True):
        assert np.array_equal(before, after)


def test_after_padding_nothing_is_remembered() -> None:
    tokens = TOKENS.copy()
    tokens[:, 2] = 0
    layer = memory()
    outputs = np.asarray(layer([STATES, tokens], training=False))
    assert np.all(outputs[:, 2] == 0)
    assert np.allclose(outputs[:, 3:], run(layer, slice(3, 6), training=False), atol=1e-6)


def test_dropped_weights_are_the_same_at_every_step_and_others_in_the_next_batch() -> None:
    layer = memory(weight_dropout=0.5)
    one, other = run(layer, slice(None)), run(layer, slice(None))
    assert not np.allclose(one, other)
    plain = run(layer, slice(None), training=False)
    assert np.array_equal(plain, run(layer, slice(None), training=False))


def cost() -> tuple[NextToken, np.ndarray]:
    layer, table = NextToken(6, seed=1), RANDOM.normal(size=(6, 3)).astype(np.float32)
    layer([STATES, TOKENS, table])
    layer.bias.assign(RANDOM.normal(size=6))
    return layer, table


@pytest.mark.parametrize("training", [True, False])
def test_a_token_costs_the_negative_logarithm_of_its_softmax(training: bool) -> None:
    layer, table = cost()
    logits = STATES @ table.T + np.asarray(layer.bias)
    logits[..., 0] = NEVER
    wanted = -np.asarray(ops.log_softmax(logits))[:, :-1]
    wanted = np.take_along_axis(wanted, TOKENS[:, 1:, None].astype(int), axis=2)[..., 0]
    assert np.allclose(layer([STATES, TOKENS, table], training=training), wanted, atol=1e-5)


def test_before_anything_is_learned_words_are_as_frequent_as_they_are() -> None:
    layer, nothing = NextToken(6), np.zeros((6, 3), np.float32)
    layer([STATES, TOKENS, nothing])
    layer.begin(np.array([0, 0, 3, 1, 1, 0]))
    shares = np.array([1, 4, 2, 2, 1]) / 10  # Of the ids 1 to 5, one more of each; 0 is padding.
    wanted = -np.log(shares)[TOKENS[:, 1:].astype(int) - 1]
    assert np.allclose(layer([STATES, TOKENS, nothing]), wanted, atol=1e-5)


def test_nothing_is_counted_before_and_after_padding() -> None:
    layer, table = cost()
    tokens = TOKENS.copy()
    tokens[0, 2] = tokens[1, 5] = 0
    found = np.asarray(layer([STATES, tokens, table]))
    assert (found == 0).tolist() == [[False, True, True, False, False], [False] * 4 + [True]]


@pytest.mark.parametrize("n_words", [6, 400])
def test_drawn_words_stand_for_all_on_average(n_words: int) -> None:
    """Over many draws the sampled softmax comes near to the whole one, where all are frequent at once."""
    layer, table = NextToken(n_words, 200, seed=1), RANDOM.normal(size=(n_words, 3)) / 3
    given = [STATES, TOKENS * (n_words // 6), table.astype(np.float32)]
    layer(given)
    layer.bias.assign(RANDOM.normal(size=n_words) / 3)
    sampled = [np.asarray(layer(given, training=True)) for _ in range(1 if n_words == 6 else 60)]
    assert np.allclose(np.mean(sampled, axis=0), layer(given), atol=0.05)


def test_in_mixed_precision_training_rounds_products_and_answering_does_not() -> None:
    table = (RANDOM.normal(size=(300, 3)) / 3).astype(np.float32)
    given = [STATES, TOKENS * 50, table]
    exact, rounded = (NextToken(300, 200, seed=1, products=p) for p in ("float32", "bfloat16"))
    for layer in (exact, rounded):
        layer(given)
        layer.begin(np.arange(300))
    assert np.array_equal(exact(given), rounded(given))
    one, other = (np.asarray(layer(given, training=True)) for layer in (exact, rounded))
    assert not np.array_equal(one, other)
    assert np.allclose(one, other, atol=0.02)


def test_large_and_jumping_outputs_add_to_the_loss() -> None:
    calm = Calm(activation=2.0, temporal=1.0)
    calm([STATES, STATES], training=True)
    jumps = np.square(STATES[:, 1:] - STATES[:, :-1]).mean()
    assert float(sum(calm.losses)) == pytest.approx(2 * np.square(STATES).mean() + jumps, rel=1e-5)
    calm([STATES, STATES], training=False)
    assert not calm.losses


def test_the_loss_is_the_mean_over_all_tokens() -> None:
    costs, counts = np.array([[1.0, 2, 9], [3, 9, 9]]), np.array([[1, 1, 0], [1, 0, 0]])
    assert float(MeanCost()(counts, costs)) == pytest.approx(2)
