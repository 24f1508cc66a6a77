import keras
import numpy as np
import pytest

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
