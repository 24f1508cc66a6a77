"""Documents of one group are drawn together."""

from functools import partial

import numpy as np
import pytest

from lslm.heads.classify import HEAD
from lslm.heads.comparing import by_bootstrap, compared
from lslm.statistics.calibration import expected_calibration_error
from lslm.statistics.intervals import bootstrap
from lslm.statistics.resampling import Mean, OfConfusion, Ratio

RANDOM = np.random.default_rng(0)
N = 120
OUTPUTS = RANDOM.dirichlet([1, 1, 1], N)
TRUTH = np.where(RANDOM.random(N) < 0.6, OUTPUTS.argmax(1), RANDOM.integers(0, 3, N))


def right(truth, outputs):
    return (outputs.argmax(1) == truth).astype(float)


def likely(truth, outputs):
    return outputs[np.arange(len(truth)), truth]


def least_recall(counts):
    return np.min(np.diagonal(counts, axis1=-2, axis2=-1) / counts.sum(-1), axis=-1)


METRICS = {
    "few values": Mean(right),
    "many values": Mean(likely),
    "ratio": Ratio(likely, lambda truth, outputs: outputs.max(1)),
    "confusion": OfConfusion(least_recall),
    "calibration": expected_calibration_error,
    "any": lambda truth, outputs: float(np.median(likely(truth, outputs))),
}


def interval(metric, copies, groups=None, n=N):
    told = bootstrap(
        METRICS[metric],
        np.repeat(TRUTH[:n], copies),
        np.repeat(OUTPUTS[:n], copies, axis=0),
        resamples=4000,
        confidence=0.9,
        seed=1,
        groups=groups,
    )
    return np.array(told)


@pytest.mark.parametrize("metric", METRICS)
def test_copies_of_a_document_add_nothing_where_they_are_one_group(metric) -> None:
    """Three copies of each: a third of the width would be lost with each drawn by itself."""
    once = interval(metric, 1)
    together = interval(metric, 3, np.repeat(np.arange(N), 3))
    alone = interval(metric, 3)
    assert together[0] == pytest.approx(once[0], abs=0.02 if metric == "calibration" else 1e-9)
    width, kept, lost = (high - low for _, low, high in (once, together, alone))
    assert kept == pytest.approx(width, rel=0.1)
    assert lost == pytest.approx(width / 3**0.5, rel=0.2)


@pytest.mark.parametrize("metric", METRICS)
def test_groups_of_one_change_nothing(metric) -> None:
    names = np.array([f"author {number}" for number in range(N)])
    np.testing.assert_array_equal(interval(metric, 1, names), interval(metric, 1))


def test_groups_and_single_documents_are_drawn_as_often() -> None:
    """One group of 60 and 60 documents: by hand, its share of 61 draws is 0, 1, 2 or so times 60 documents."""
    truth, outputs = np.zeros(N, int), np.tile([1.0, 0.0], (N, 1))
    outputs[60:] = [0.0, 1.0]
    groups = np.where(np.arange(N) < 60, 0, np.arange(N))
    for metric in (
        Mean(right),
        OfConfusion(lambda counts: counts[..., 0, 0] / counts.sum((-2, -1))),
    ):
        value, low, high = bootstrap(
            metric, truth, outputs, resamples=4000, confidence=0.9, seed=0, groups=groups
        )
        # 0 times with a chance of 0.365, three times or more with one of 0.08.
        assert (value, low) == (0.5, 0.0)
        assert high == pytest.approx(180 / (180 + 58))


def test_the_paired_test_goes_over_groups_where_there_are_some() -> None:
    ours, theirs = (RANDOM.random((2, 40)) < [[0.8], [0.6]]).astype(float)
    assert compared(HEAD, ours, theirs, np.arange(40)).test == "McNemar, exact"
    assert compared(HEAD, ours, theirs, None).test == "McNemar, exact"
    copies, groups = [np.repeat(each, 5) for each in (ours, theirs)], np.repeat(np.arange(40), 5)
    found = compared(HEAD, *copies, groups)
    assert (found.test, found.counted) == ("randomization", "n = 200 in 40 groups")
    single = compared(HEAD, ours, theirs)
    assert found.p_value == pytest.approx(single.p_value, abs=0.01)
    assert compared(HEAD, *copies).p_value < single.p_value / 10
    drawn = by_bootstrap(*copies, groups)
    assert drawn.n_groups == 40
    assert drawn.p_value == pytest.approx(by_bootstrap(ours, theirs).p_value, rel=0.2)


@pytest.mark.parametrize(("n_groups", "least"), [(1, 1.0), (2, 0.5), (3, 0.25), (5, 1 / 16)])
def test_few_groups_that_agree_prove_little(n_groups, least) -> None:
    """However many documents they have: each group is one fair coin."""
    groups = np.arange(300) % n_groups
    for test in (partial(compared, HEAD), by_bootstrap):
        found = test(np.ones(300), np.zeros(300), groups)
        assert found.p_value == pytest.approx(least, rel=0.1)
    alone = compared(HEAD, np.ones(300), np.zeros(300))
    assert alone.p_value < 1e-9


def test_documents_of_one_group_alone_are_drawn_one_by_one() -> None:
    for metric in METRICS:
        np.testing.assert_array_equal(interval(metric, 1, np.zeros(N, int)), interval(metric, 1))
