"""Kneser-Ney against sums done by hand, and against what holds for every model."""

import numpy as np
import pytest

from lslm.heads.language_model.kneser_ney import KneserNey

A, B, C, EDGE, N_WORDS = 3, 4, 5, 2, 6
DOCUMENTS = [np.array([A, B, A, C], np.int32), np.array([A, B], np.int32)]


def model(order: int) -> KneserNey:
    return KneserNey(DOCUMENTS, N_WORDS, order, EDGE)


def test_a_bigram_model_worked_out_by_hand() -> None:
    """Bigrams: |a 2, ab 2, ba 1, ac 1, c| 1, b| 1, so D = 4 / (4 + 2 x 2) = 1/2.

    Of six bigram types, those that end in a, b, c and | are 2, 1, 1 and 2, so D = 2 / (2 + 2 x 2) = 1/3.
    """
    unigram = {
        A: (2 - 1 / 3) / 6 + (4 / 3) / 6 / 5,
        B: (1 - 1 / 3) / 6 + (4 / 3) / 6 / 5,
        1: (4 / 3) / 6 / 5,
    }
    after_a = {
        B: (2 - 1 / 2) / 3 + (2 / 2) / 3 * unigram[B],
        A: (2 / 2) / 3 * unigram[A],
        1: (2 / 2) / 3 * unigram[1],
    }
    grams = np.array([[A, B], [A, A], [A, 1]], np.int32)
    assert model(2).probabilities(grams) == pytest.approx(list(after_a.values()))
    unseen = np.array([[1, B]], np.int32)
    assert model(2).probabilities(unseen) == pytest.approx([unigram[B]])


def test_one_word_alone_is_counted() -> None:
    """Tokens a 3, b 2, c 1, | 2: one is counted once and two twice, so D = 1 / (1 + 2 x 2)."""
    found = model(1).probabilities(np.array([[A]], np.int32))
    assert found == pytest.approx([(3 - 0.2) / 8 + 0.2 * 4 / 8 / 5])


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_what_can_follow_has_a_chance_of_one_together(order: int) -> None:
    random = np.random.default_rng(0)
    documents = [random.integers(1, 9, 20).astype(np.int32) for _ in range(9)]
    fitted = KneserNey(documents, 9, order, EDGE)
    for context in random.integers(1, 9, (20, order - 1)):
        grams = np.array([[*context, word] for word in range(1, 9)], np.int32)
        assert fitted.probabilities(grams).sum() == pytest.approx(1)


def test_a_document_costs_what_its_tokens_and_its_end_cost() -> None:
    fitted = model(2)
    grams = np.array([[EDGE, A], [A, B], [B, EDGE]], np.int32)
    costs = fitted.nats([DOCUMENTS[1], np.array([], np.int32)])
    assert costs[0] == pytest.approx(-np.log(fitted.probabilities(grams)).sum())
    alone = fitted.probabilities(np.array([[EDGE, EDGE]], np.int32))
    assert costs[1] == pytest.approx(-np.log(alone[0]))


def test_longer_n_grams_expect_their_own_documents_better() -> None:
    costs = [model(order).nats(DOCUMENTS).sum() for order in (1, 2, 3)]
    assert costs == sorted(costs, reverse=True)
