"""Dynamic evaluation takes the steps of its paper, scores before it learns, and leaves no trace."""

import keras
import numpy as np
import pytest

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.heads.language_model import _dynamic, _reading
from lslm.heads.language_model._dynamic import Pace
from lslm.settings import Hyperparameters

MARK, N_WORDS = 2, 9
REPEATING = np.tile(np.arange(3, 9, dtype=np.int32), 20)


@pytest.fixture(scope="module")
def reader() -> _reading.Steady:
    chosen = Hyperparameters().replaced({"encoder.units": 5, "encoder.layers": 1})
    encoder = Encoder(N_WORDS, 5, None, chosen.encoder, 1)
    return _reading.with_state(heads.get("language-model").build(encoder, {}, chosen))


@pytest.fixture(scope="module")
def roots(reader: _reading.Steady) -> list[np.ndarray]:
    return _dynamic.mean_roots(reader, [REPEATING[None, :21], REPEATING[None, 3:24]])


def step(pace: Pace, roots: list[list[float]], value: list[float], gradient: list[float]) -> list:
    """From weights that began at 0."""
    variable = keras.Variable(np.zeros(2, np.float32))
    optimizer = _dynamic.Returning(pace, [np.array(root, np.float32) for root in roots])
    optimizer.build([variable])
    variable.assign(value)
    optimizer.apply([keras.ops.convert_to_tensor(np.array(gradient, np.float32))])
    return np.asarray(variable).tolist()


def test_a_step_goes_down_by_the_usual_size_of_the_gradient() -> None:
    """Roots of 1 and 3 have a mean of 2: 1 - 0.5 * 3 / (1 + 2) and 1 - 0.5 * 3 / (3 + 2)."""
    assert step(Pace(0.5, 0.0), [[1, 3]], [1, 1], [3, 3]) == pytest.approx([0.5, 0.7])


def test_a_step_goes_back_further_where_gradients_are_large() -> None:
    """Roots of 1 and 3 have a mean of 2: 0.4 of them is 0.2 and 0.6 of the way back to 0."""
    assert step(Pace(0.5, 0.4), [[1, 3]], [1, 1], [0, 0]) == pytest.approx([0.8, 0.4])


def test_no_weight_goes_further_back_than_it_came() -> None:
    assert step(Pace(0.5, 9.0), [[1, 1]], [1, -1], [0, 0]) == pytest.approx([0, 0])


@pytest.mark.slow
def test_roots_are_those_of_the_gradients(reader: _reading.Steady) -> None:
    """Of one batch, the root of the square is the gradient's size."""
    tokens = REPEATING[None, :21]
    (found, *_), (again, *_) = (_dynamic.mean_roots(reader, [tokens] * n) for n in (1, 3))
    assert found.shape == (N_WORDS, 5)
    assert found.max() > 0
    assert np.allclose(found, again, rtol=1e-4)


def test_without_a_rate_it_is_what_reading_is(
    reader: _reading.Steady, roots: list[np.ndarray]
) -> None:
    plain = _reading.read(reader, REPEATING, MARK).nats
    (still,) = _dynamic.dynamic_nats(reader, [REPEATING], MARK, Pace(0.0, 0.1), roots, 10)
    assert np.allclose(plain, still, atol=1e-5)


def test_it_learns_from_what_it_has_scored_and_is_as_before(
    reader: _reading.Steady, roots: list[np.ndarray]
) -> None:
    before = _reading.read(reader, REPEATING, MARK).nats
    (found,) = _dynamic.dynamic_nats(reader, [REPEATING], MARK, Pace(0.03, 1e-3), roots, 10)
    assert np.allclose(found[:10], before[:10], atol=1e-5)
    assert found[-10:].mean() < before[-10:].mean() - 0.1
    assert np.array_equal(before, _reading.read(reader, REPEATING, MARK).nats)


@pytest.mark.slow
def test_the_pace_of_least_cost_is_chosen(reader: _reading.Steady, roots: list[np.ndarray]) -> None:
    paces = [Pace(0.0, 0.0), Pace(0.03, 1e-3)]
    assert _dynamic.chosen(reader, [REPEATING[:60]], MARK, roots, 10, paces) == paces[1]


def test_each_text_is_read_from_nothing_by_what_was_learned_from_those_before(
    reader: _reading.Steady, roots: list[np.ndarray]
) -> None:
    text, pace = REPEATING[:7], Pace(0.03, 1e-3)
    plain = _reading.read(reader, text, MARK).nats
    first, second, *rest = _dynamic.dynamic_nats(reader, [text] * 12, MARK, pace, roots, 10)
    assert np.allclose(first, plain, atol=1e-5)
    assert not np.allclose(second, plain, atol=1e-5)
    assert rest[-1].mean() < plain.mean() - 0.1
    still = _dynamic.dynamic_nats(reader, [text] * 2, MARK, Pace(0.0, 0.0), roots, 10)
    assert np.allclose(still, [plain, plain], atol=1e-5)
