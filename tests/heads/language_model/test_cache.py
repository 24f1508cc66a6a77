"""A cache gives what the paper's equations give, worked out by hand."""

import numpy as np
import pytest

from lslm.heads.language_model import cache
from lslm.heads.language_model.cache import Cache

RANDOM = np.random.default_rng(0)


def plain(states: np.ndarray, words: np.ndarray, window: int, flatness: float) -> np.ndarray:
    """The same word by word."""
    found = np.zeros(len(words))
    for t in range(1, len(words)):
        before = range(max(0, t - window), t)
        weights = np.array([np.exp(flatness * states[t] @ states[i]) for i in before])
        same = np.array([words[i] == words[t] for i in before])
        found[t] = weights[same].sum() / weights.sum()
    return found


def test_likeness_of_states_counts() -> None:
    """exp(ln 3 * 1) = 3 for the state that is alike, exp(0) = 1 for the other: 3 of 4."""
    states = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    words = np.array([7, 8, 7])
    assert cache.remembered(states, words, 9, np.log(3)).tolist() == pytest.approx([0, 0, 0.75])


def test_what_is_out_of_the_window_is_forgotten() -> None:
    words = np.array([7, 8, 7, 8])
    assert cache.remembered(np.zeros((4, 1)), words, 1, 1.0).tolist() == [0, 0, 0, 0]
    assert cache.remembered(np.zeros((4, 1)), words, 2, 1.0).tolist() == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize("window", [1, 40, 300, 2000])
def test_blocks_come_to_what_single_words_come_to(window: int) -> None:
    states, words = RANDOM.normal(size=(600, 3)), RANDOM.integers(0, 9, 600)
    found = cache.remembered(states, words, window, 0.7)
    assert np.allclose(found, plain(states, words, window, 0.7))


def test_large_likenesses_do_not_overflow() -> None:
    states, words = np.full((3, 4), 100.0), np.array([1, 1, 1])
    assert cache.remembered(states, words, 9, 1.0).tolist() == pytest.approx([0, 1, 1])


def test_chances_of_all_words_come_to_one() -> None:
    states = RANDOM.normal(size=(20, 3))
    words = RANDOM.integers(0, 4, 20)
    given = [cache.remembered(states, np.append(words[:-1], last), 9, 0.5)[-1] for last in range(4)]
    assert sum(given) == pytest.approx(1)


def test_the_first_token_costs_what_the_model_says() -> None:
    nats = np.log(np.array([4.0, 4.0]))
    found = cache.costs(Cache(9, 1.0, 0.5), nats, np.zeros((2, 1)), np.array([3, 3]))
    assert np.exp(-found).tolist() == pytest.approx([0.25, 0.5 * 0.25 + 0.5])


def test_a_text_that_repeats_itself_wants_a_cache_and_chance_wants_none() -> None:
    nats = np.full(400, np.log(50.0))
    repeating = np.tile(np.arange(8), 50)
    states = np.eye(8)[repeating]
    wanted = cache.chosen(nats, states, repeating, 100)
    assert (wanted.share, wanted.flatness) == (cache.SHARES[-1], cache.FLATNESSES[-1])
    never = np.arange(400)
    assert cache.chosen(nats, np.zeros((400, 1)), never, 100).share == 0
