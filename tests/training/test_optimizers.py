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
