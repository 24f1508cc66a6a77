"""A model that remembers scores as it does without, but for words that it has read lately."""

from pathlib import Path

import keras
import numpy as np
import pytest

from lslm.heads.language_model._reading import read, with_state
from lslm.serving.remembering import score_remembering
from lslm.serving.scoring import score_lines
from lslm.serving.writing import Writer
from tests.serving import language

TEXTS = ["The fox came home, the fox.", "fox", "an owl came"]


def test_token_by_token_a_text_costs_what_it_costs_at_once(foxes: Path) -> None:
    told = Writer.load(foxes).told(TEXTS[0])
    whole = score_lines(foxes, TEXTS[:1]).lines[0]
    assert told.nats.sum() == pytest.approx(whole["nats"], abs=1e-4)
    assert (len(told.ids), told.ids[-1]) == (whole["tokens"], language.WORDS.mark)
    # Two members of 5 units each; the last of two layers.
    assert told.states.shape == (whole["tokens"], 10)


def test_states_are_as_alike_as_those_of_the_members_are_on_average(
    language_model: tuple[Path, list[keras.Model]],
) -> None:
    """The states are those of the network that reads in Keras; here it has a projection behind them."""
    folder, members = language_model
    writer = Writer.load(folder)
    told = writer.told(TEXTS[0])
    each = [read(with_state(member), told.ids, writer.mark).states for member in members]
    expected = np.mean([states @ states.T for states in each], axis=0)
    assert np.allclose(told.states @ told.states.T, expected, atol=1e-4)


def test_what_never_comes_again_changes_nothing(foxes: Path) -> None:
    """A held-out text of one token gives the cache nothing, so it is given no share."""
    plain, found = (
        score_lines(foxes, TEXTS),
        score_remembering(foxes, TEXTS, held_out=[""]),
    )
    assert found.cache.share == 0
    assert found.perplexities.together == pytest.approx(plain.perplexity, rel=1e-4)
    each = [line["perplexity"] for line in plain.lines]
    assert np.allclose(found.perplexities.each, each, rtol=1e-4)


def test_words_that_come_again_are_cheaper_from_the_second_time_on(foxes: Path) -> None:
    again = ["home , home"] * 20
    found = score_remembering(foxes, again, held_out=again)
    assert found.cache.share > 0
    assert found.perplexities.together < score_lines(foxes, again).perplexity
    assert found.perplexities.each[-1] < found.perplexities.each[0]
