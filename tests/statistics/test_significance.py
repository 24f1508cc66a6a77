import itertools

import numpy as np
import pytest

from lslm.heads.classify import macro_f1
from lslm.statistics.intervals import bootstrap
from lslm.statistics.resampling import Draws, Mean, OfConfusion, confusion, resampled_means
from lslm.statistics.significance import (
    approximate_randomization,
    bootstrap_p,
    mcnemar,
    paired_bootstrap,
)


def discordant(only_a: int, only_b: int, both: int = 12) -> tuple[np.ndarray, np.ndarray]:
    a = np.array([1.0] * only_a + [0.0] * only_b + [1.0] * both)
    b = np.array([0.0] * only_a + [1.0] * only_b + [1.0] * both)
    return a, b


def test_mcnemar_on_the_airway_example_of_fagerland_2013() -> None:
    assert mcnemar(*discordant(1, 7)) == pytest.approx(0.0703, abs=1e-4)


def test_mcnemar_sees_nothing_where_nothing_differs() -> None:
    assert mcnemar(*discordant(0, 0)) == 1.0


def test_the_paired_interval_holds_the_difference() -> None:
    difference, low, high = paired_bootstrap(
        *discordant(30, 10, 60), resamples=2000, confidence=0.95, seed=0
    )
    assert difference == pytest.approx(0.2)
    # The normal approximation: 0.2 +- 1.96 * sqrt((40/100 - 0.04) / 100).
    assert (low, high) == (pytest.approx(0.0824, abs=0.02), pytest.approx(0.3176, abs=0.02))


def test_the_bootstrap_interval_of_a_share_is_the_binomial_one() -> None:
    truth = np.zeros(400, int)
    outputs = np.eye(2)[np.array([0] * 320 + [1] * 80)]
    metric = Mean(lambda t, o: (o.argmax(1) == t).astype(float))
    value, low, high = bootstrap(metric, truth, outputs, resamples=4000, confidence=0.95, seed=0)
    assert value == 0.8
    assert (low, high) == (pytest.approx(0.7608, abs=0.006), pytest.approx(0.8392, abs=0.006))


def test_fast_resampling_of_f1_agrees_with_the_slow_way() -> None:
    rng = np.random.default_rng(0)
    truth, outputs = rng.integers(0, 3, 200), rng.random((200, 3))
    fast = OfConfusion(macro_f1)
    given = {"resamples": 3000, "confidence": 0.95, "seed": 0}
    slow = bootstrap(lambda t, o: float(macro_f1(confusion(t, o))), truth, outputs, **given)
    assert bootstrap(fast, truth, outputs, **given) == pytest.approx(slow, abs=0.01)


def test_macro_f1_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(1)
    truth, outputs = rng.integers(0, 4, 300), rng.random((300, 4))
    expected = f1_score(truth, outputs.argmax(1), average="macro")
    assert OfConfusion(macro_f1)(truth, outputs) == pytest.approx(expected)


def test_randomization_agrees_with_all_sign_flips() -> None:
    # Of the 2^6 ways to exchange six differences of 1, two are as large as 6 to 0.
    p = approximate_randomization([1] * 6, [0] * 6, rounds=20_000, seed=0)
    assert p == pytest.approx(2 / 64, abs=0.005)


def test_randomization_agrees_with_mcnemar_on_right_and_wrong() -> None:
    a, b = discordant(30, 14, 100)
    p = approximate_randomization(a, b, rounds=20_000, seed=0)
    assert p == pytest.approx(mcnemar(a, b), abs=0.01)


def all_sign_flips(differences: np.ndarray) -> float:
    """Share of the ways to exchange the systems that make a difference at least as large."""
    signs = np.array(list(itertools.product((-1, 1), repeat=len(differences))))
    return float(np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12))


@pytest.mark.parametrize("size", [1, 3], ids=["documents", "groups of three"])
@pytest.mark.parametrize("n_better", [4, 5, 6])
def test_where_few_differ_the_bootstrap_is_as_careful_as_all_sign_flips(n_better, size) -> None:
    better = np.linspace(0.1, 0.3, n_better)
    a = np.repeat(np.concatenate([better, np.zeros(200 - n_better)]), size)
    groups = np.repeat(np.arange(200), size)
    p = bootstrap_p(a, np.zeros(len(a)), resamples=2000, seed=0, groups=groups)
    assert p == pytest.approx(all_sign_flips(better))


def test_groups_whose_differences_cancel_are_groups_that_do_not_differ() -> None:
    a, b = np.array([0.1, 0.2, 0.0] * 20), np.array([0.0, 0.0, 0.3] * 20)
    groups = np.repeat(np.arange(20), 3)
    assert bootstrap_p(a, b, resamples=500, seed=0, groups=groups) == 1.0


def test_scores_of_different_documents_are_not_compared() -> None:
    with pytest.raises(ValueError, match="one length"):
        mcnemar([1, 0], [1])


def test_means_of_few_and_of_many_values_are_drawn_alike() -> None:
    rng = np.random.default_rng(0)
    few = rng.integers(0, 2, 500).astype(float)
    many = few + np.arange(500) * 1e-12
    spreads = [
        resampled_means(values, Draws(20_000, np.random.default_rng(1))).std()
        for values in (few, many)
    ]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.03)
