"""Rates are found back from times that were made with them."""

import pytest

from lslm.costing.networks import Measured, different, fitted, seconds_a_document, size
from lslm.costing.rates import NetworkRate
from lslm.settings import EmbeddingSettings, Hyperparameters

EMBEDDING = EmbeddingSettings(size=100)
TRUE = NetworkRate(
    a_document=2e-4,
    a_step=1e-4,
    a_flop=3e-11,
    a_weight=2e-8,
    cells=30,
    width=28,
    build=3,
    first_answer=1,
    answer=0.3,
    score=0,
    save=1,
    spread=0,
)
BASE = Hyperparameters()
TRIED = [
    BASE.replaced(changes)
    for changes in (
        {},
        {"encoder.units": 32},
        {"encoder.layers": 3, "encoder.bidirectional": False},
        {"encoder.tuned_words": 8000},
        {"encoder.cell": "gru", "encoder.units": 64},
    )
]


def measured(chosen):
    document = seconds_a_document(TRUE, size(chosen, EMBEDDING, 10_000))
    return Measured(chosen, build=3, document=document, save=1, cells=30, width=28, n_words=10_000)


def test_rates_are_found_back():
    found = fitted([measured(each) for each in TRIED], EMBEDDING, begin=4, answer=0.001, score=0)
    for name in ("a_document", "a_step", "a_flop", "a_weight"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=0.02)
    assert found.spread < 1e-6


def test_one_network_is_given_back_where_only_one_was_measured():
    found = fitted([measured(BASE)], EMBEDDING, begin=4, answer=0.001, score=0)
    want = seconds_a_document(TRUE, size(BASE, EMBEDDING, 10_000))
    assert seconds_a_document(found, size(BASE, EMBEDDING, 10_000)) == pytest.approx(want)


def test_the_flops_of_an_lstm_are_those_of_its_matrices():
    one = BASE.replaced({"encoder.bidirectional": False, "encoder.units": 10})
    assert size(one, EMBEDDING, 100).flops == 2 * 4 * 10 * (100 + 10)


def test_the_whole_table_is_trained_without_pretrained_vectors():
    none = EmbeddingSettings(size=100, method="none")
    more = size(BASE, none, 5000).weights - size(BASE, EMBEDDING, 5000).weights
    assert more == 5000 * 100


def test_networks_are_chosen_that_differ_in_cost():
    same = BASE.replaced({"training.learning_rate": 0.01})
    small = BASE.replaced({"encoder.units": 16})
    assert different([BASE, same, small], EMBEDDING, 1000, 4) == [BASE, small]


def test_fewer_words_and_shorter_vectors_are_less_work():
    made = EmbeddingSettings(method="none", size=100)
    whole = size(BASE, made, 10_000)
    small = size(
        BASE.replaced({"encoder.max_words": 500, "encoder.vector_units": 10}), made, 10_000
    )
    assert whole.weights - small.weights > 10_000 * 100 - 500 * 10
    assert small.flops < whole.flops
