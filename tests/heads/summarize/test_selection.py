import pytest

from lslm.heads.summarize.options import Length
from lslm.heads.summarize.selection import choose

SENTENCES = ["the title", "one two three", "one two three", "four five six seven", "eight"]
SCORES = [0.9, 0.8, 0.7, 0.6, 0.5]


@pytest.mark.parametrize(
    ("length", "chosen"),
    [
        (Length(n_sentences=1), [0]),
        (Length(n_sentences=2), [0, 1]),
        (Length(n_sentences=3), [0, 1, 3]),
        (Length(n_sentences=3, max_overlap=1.0), [0, 1, 2]),
        (Length(n_sentences=None, words=6), [0, 1, 4]),
        (Length(n_sentences=None, ratio=0.4), [0, 1]),
        (Length(n_sentences=None, words=1), [4]),
        (Length(n_sentences=None, words=3), [0, 4]),
        (Length(n_sentences=1, title=True), [1]),
        (Length(n_sentences=None, max_overlap=1.0), [0, 1, 2, 3, 4]),
    ],
)
def test_the_best_that_fit_in_the_order_of_the_text(length: Length, chosen: list[int]) -> None:
    assert choose(SENTENCES, SCORES, length, "en") == chosen


def test_a_document_that_is_only_a_title_keeps_it() -> None:
    assert choose(["alone"], [0.1], Length(title=True), "en") == [0]


def test_where_no_sentence_is_short_enough_the_best_is_chosen() -> None:
    assert choose(SENTENCES[:4], SCORES[:4], Length(words=1), "en") == [0]


def test_nothing_gives_nothing() -> None:
    assert choose([], [], Length(), "en") == []


def test_equal_scores_go_to_the_earlier_sentence() -> None:
    assert choose(["a", "b"], [0.5, 0.5], Length(), "en") == [0]
