"""A text read in pieces costs what it costs at once."""

import keras
import numpy as np
import pytest

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.encoder.precision import computing_in
from lslm.heads.language_model import _reading
from lslm.settings import HeadSettings, Hyperparameters

MARK, N_WORDS = 2, 12
IDS = np.random.default_rng(0).integers(2, N_WORDS, 41).astype(np.int32)
HEAD = heads.get("language-model")


CHOSEN = Hyperparameters(head={"weight_dropout": 0.3, "sampled_words": 4}).replaced(
    {
        "encoder.units": 6,
        "encoder.layers": 2,
        "encoder.head_dropout": 0.5,
        "training.batch_size": 3,
    }
)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    encoder = Encoder(N_WORDS, 5, None, CHOSEN.encoder, 1)
    return HEAD.build(encoder, {"options": HeadSettings().options}, CHOSEN)


@pytest.fixture(scope="module")
def reader(network: keras.Model) -> _reading.Steady:
    return _reading.with_state(network)


def whole(network: keras.Model, ids: np.ndarray) -> np.ndarray:
    return np.asarray(network(np.array([[MARK, *ids]], np.int32), training=False))[0]


@pytest.mark.parametrize("steps", [1, 7, 64])
def test_pieces_cost_what_the_whole_costs(
    network: keras.Model, reader: _reading.Steady, steps: int
) -> None:
    found = _reading.read(reader, IDS, MARK, steps=steps)
    assert np.allclose(found.nats, whole(network, IDS), atol=1e-5)
    last = keras.Model(network.input, network.get_layer("memory_1").output)
    states = np.asarray(last(np.array([[MARK, *IDS]], np.int32), training=False))[0, :-1]
    assert states.shape == (41, 6)
    assert np.allclose(found.states, states, atol=1e-5)


def test_each_of_more_rows_begins_anew(network: keras.Model, reader: _reading.Steady) -> None:
    found = _reading.read(reader, IDS, MARK, n_rows=2, steps=8)
    # Rows of 21 tokens; the second begins behind the last token of the first.
    second = np.asarray(network(IDS[None, 20:], training=False))[0]
    assert np.allclose(found.nats, [*whole(network, IDS[:21]), *second], atol=1e-5)


def test_in_mixed_precision_the_state_between_pieces_stays_float32(network: keras.Model) -> None:
    with computing_in("mixed_bfloat16"):
        encoder = Encoder(N_WORDS, 5, None, CHOSEN.encoder, 1)
        mixed = HEAD.build(encoder, {"options": HeadSettings().options}, CHOSEN)
    mixed.set_weights(network.get_weights())
    reader = _reading.with_state(mixed)
    _, _, *state = reader.predict_on_batch([IDS[None], *_reading.nothing(reader, 1)])
    assert {each.dtype for each in state} == {np.dtype("float32")}
    # Pieces and the whole are rounded alike, so their states must not be rounded once more.
    found = _reading.read(reader, IDS, MARK, steps=1)
    assert np.allclose(found.nats, whole(mixed, IDS), atol=1e-5)


def test_training_does_not_change_what_it_answers(reader: _reading.Steady) -> None:
    """No dropout, no drawn words: dynamic evaluation trains what is scored."""
    given = [next(_reading.pieces(IDS, MARK, 1, 9)), *_reading.nothing(reader, 1)]
    plain, trained = (np.asarray(reader(given, training=each)[0]) for each in (False, True))
    assert np.array_equal(plain, trained)
    assert len(reader.trainable_variables) == 9
