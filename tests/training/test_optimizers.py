import keras
import numpy as np
import pytest
import tensorflow as tf

from lslm.encoder.layers import WordEmbedding
from lslm.settings import TrainingSettings
from lslm.training.optimizers import LeanAdamW, optimizer


def learned(made: keras.optimizers.Optimizer) -> list[np.ndarray]:
    """Weights after some steps; the last gradient is clipped."""
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(5, kernel_initializer=keras.initializers.GlorotUniform(1))(inputs)
    outputs = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(2))(hidden)
    network = keras.Model(inputs, outputs)
    network.compile(optimizer=made, loss="mse")
    random = np.random.default_rng(0)
    given, wanted = random.normal(size=(8, 4)), random.normal(size=(8, 1)) * 9
    network.fit(given, wanted, epochs=5, shuffle=False, verbose=0)
    return network.get_weights()


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_it_learns_what_keras_s_learns_bit_for_bit(weight_decay: float) -> None:
    settings = {"learning_rate": 0.01, "weight_decay": weight_decay, "global_clipnorm": 1.0}
    theirs = learned(keras.optimizers.AdamW(**settings))
    for ours, other in zip(learned(LeanAdamW(**settings)), theirs, strict=True):
        np.testing.assert_array_equal(ours, other)


def test_float16_alone_gets_loss_scaling() -> None:
    made = optimizer(TrainingSettings(precision="mixed_float16"), n_steps=10)
    assert isinstance(made, keras.optimizers.LossScaleOptimizer)
    assert isinstance(made.inner_optimizer, LeanAdamW)
    for precision in ("float32", "mixed_bfloat16"):
        assert isinstance(optimizer(TrainingSettings(precision=precision), 10), LeanAdamW)


PACES = [(0.5, 0), (0.5, 0), (1.0, 3), (1.0, 3)]


def test_a_pace_scales_updates_and_freezes_exactly() -> None:
    settings = {"learning_rate": 0.01, "weight_decay": 0.1}
    scaled = moved(LeanAdamW(**settings, paces=PACES), n_steps=1)
    whole = moved(LeanAdamW(**settings), n_steps=1)
    np.testing.assert_allclose(scaled[0], whole[0] / 2, rtol=1e-3)
    assert not scaled[2].any()
    assert not moved(LeanAdamW(**settings, paces=PACES), n_steps=3)[2].any()
    assert moved(LeanAdamW(**settings, paces=PACES), n_steps=4)[2].any()


def test_paces_of_one_change_nothing_and_are_kept_in_the_config() -> None:
    alike = LeanAdamW(0.01, weight_decay=0.1, paces=[(1.0, 0)] * 4)
    for ours, other in zip(learned(alike), learned(LeanAdamW(0.01, weight_decay=0.1)), strict=True):
        np.testing.assert_array_equal(ours, other)
    again = LeanAdamW.from_config(LeanAdamW(0.01, paces=PACES).get_config())
    assert again.paces == PACES
    assert "paces" not in LeanAdamW(0.01).get_config()


def moved(made: keras.optimizers.Optimizer, n_steps: int) -> list[np.ndarray]:
    """What the variables have moved by after some steps of one gradient."""
    variables = [keras.Variable(np.ones(shape, np.float32)) for shape in ((2, 3), (3,)) * 2]
    made.build(variables)
    gradients = [keras.ops.convert_to_tensor(np.full(v.shape, 0.5, np.float32)) for v in variables]
    for _ in range(n_steps):
        made.apply(gradients, variables)
    return [np.asarray(variable) - 1 for variable in variables]


def words_learned(made: keras.optimizers.Optimizer, seen: list[int]) -> np.ndarray:
    """A table of six words after a step on each of `seen`, all at once, three times."""
    inputs = keras.Input((None,), dtype="int32")
    embedding = WordEmbedding(6, 3, pretrained=False, seed=1)
    network = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(embedding(inputs)))
    network.layers[-1].set_weights([np.array([[1.0], [2.0], [-3.0]], np.float32)])
    network.compile(optimizer=made, loss="mse")
    given = np.array([seen], np.int32)
    network.fit(given, np.full((1, len(seen), 1), 5.0), epochs=3, shuffle=False, verbose=0)
    table: np.ndarray = network.layers[1].get_weights()[0]
    return table


ALL, SOME = [2, 2, 0, 3, 4, 1, 5, 2], [2, 2, 4]
SETTINGS = {"learning_rate": 0.01, "weight_decay": 0.0, "global_clipnorm": 1.0}


@pytest.mark.parametrize("weight_decay", [0.0, 3.0])
def test_rows_that_are_seen_at_each_step_learn_as_in_a_whole_table(weight_decay: float) -> None:
    """One is seen three times in a batch; the gradient is clipped."""
    settings = SETTINGS | {"weight_decay": weight_decay}
    whole = words_learned(LeanAdamW(**settings), ALL)
    lazy = words_learned(LeanAdamW(**settings, lazy=True), ALL)
    np.testing.assert_allclose(lazy, whole, atol=1e-6)
    assert np.abs(whole - words_learned(LeanAdamW(0.0), ALL)).min() > 1e-3


@pytest.mark.parametrize("weight_decay", [0.0, 3.0])
def test_a_lazy_table_rests_where_a_word_is_not_seen(weight_decay: float) -> None:
    made = LeanAdamW(**SETTINGS | {"weight_decay": weight_decay}, lazy=True)
    before = words_learned(LeanAdamW(0.0), SOME)
    after = words_learned(made, SOME)
    assert set(np.flatnonzero((before != after).any(axis=1))) == {2, 4}
    moments = [np.asarray(each) for each in made.variables if each.shape == before.shape]
    assert len(moments) == 2
    for moment in moments:
        assert set(np.flatnonzero(moment.any(axis=1))) == {2, 4}
    assert LeanAdamW.from_config(made.get_config()).lazy


def test_the_first_step_of_a_row_is_of_the_rate_whenever_it_comes() -> None:
    """Adam's first step moves each unit by the rate; so does a row's, after 50 steps of others."""
    table = keras.Variable(np.zeros((3, 2), np.float32))
    made = LeanAdamW(**SETTINGS, lazy=True)
    made.build([table])
    for row in [0] * 50 + [1, 1]:
        before = np.array(table)
        made.apply([tf.IndexedSlices(tf.constant([[3.0, -0.1]]), tf.constant([row]))], [table])
        np.testing.assert_allclose(np.abs(np.array(table) - before)[row], 0.01, rtol=1e-3)
    assert not np.array(table)[2].any()


def test_beside_lazy_tables_variables_decay_as_ever() -> None:
    settings = SETTINGS | {"weight_decay": 0.1}
    pairs = (moved(LeanAdamW(**settings, lazy=lazy), n_steps=2) for lazy in (False, True))
    for plain, lazy in zip(*pairs, strict=True):
        np.testing.assert_array_equal(plain, lazy)
