"""What the learning curve and the seeds come to, on answers that are known."""

import numpy as np
import pytest

from lslm import heads
from lslm.evaluation.answers import Answers
from lslm.evaluation.variation import variation
from lslm.settings import EvaluationSettings

HEAD = heads.get("classify")
SETTINGS = EvaluationSettings(resamples=200)


def answers(n_right: int, n_training: int = 10, n: int = 40) -> Answers:
    """The first `n_right` of the documents, all labelled 0, are answered right."""
    said = np.where(np.arange(n) < n_right, 0, 1)
    outputs = np.eye(2)[said]
    part = {"training": {"n": n_training}}
    return Answers(np.zeros(n, np.int32), {"network": outputs}, {"labels": ["a", "b"]}, part)


def test_the_gain_is_that_of_the_last_step():
    curve = [answers(10, 25), answers(20, 50), answers(30, 100)]
    found = variation(HEAD, curve, [], SETTINGS)
    assert found is not None
    assert [point.n_training for point in found.curve] == [25, 50, 100]
    assert [point.systems["network"].value for point in found.curve] == [0.25, 0.5, 0.75]
    assert found.gain is not None
    assert found.gain.difference == 0.25
    assert 0 < found.gain.low < 0.25 < found.gain.high


def test_the_spread_of_the_seeds_is_their_standard_deviation():
    found = variation(HEAD, [], [answers(20), answers(22), answers(24)], SETTINGS)
    assert found is not None
    assert found.seeds is not None
    assert found.seeds.values == (0.5, 0.55, 0.6)
    assert found.seeds.deviation == pytest.approx(0.05)


def test_nothing_varied_is_nothing_told():
    assert variation(HEAD, [answers(3)], [answers(3)], SETTINGS) is None
