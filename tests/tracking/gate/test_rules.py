"""Each rule as a table: what is seen, what the settings want, whether it passes, what it says."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.errors import InputError
from lslm.evaluation.report import Score, Scores
from lslm.heads.contract import Comparison, Goal
from lslm.settings import GateSettings
from lslm.tracking.gate import Evidence, Latency, Opponent, Slice, decide
from lslm.tracking.gate.paired import paired_test
from lslm.tracking.gate.slices import sliced

HEAD = heads.get("classify")
LESS = Goal("log_loss", "minimize")
BASELINES, CHAMPION, EFFECT, SLICES, SPEED, SIZE, HOLDOUT = range(7)


def scored(metric: str = "accuracy", **systems: float) -> Scores:
    return Scores(
        systems={
            system: {metric: Score(value=value, low=0, high=1, n=9)}
            for system, value in systems.items()
        },
        differences=(),
    )


def compared(difference: float, p: float = 0.01, n: int = 100) -> Comparison:
    return Comparison("McNemar, exact", difference, -0.1, 0.1, p, n)


def against(difference: float, p: float = 0.01) -> Opponent:
    return Opponent("3", compared(difference, p), 0, 0.8 + difference, 0.8)


def part(name: str, difference: float | None, p: float = 0.01) -> Slice:
    found = None if difference is None else compared(difference, p)
    return Slice(name, 100, 0.7 + (difference or 0), found)


GOOD = Evidence(
    goal=HEAD.goal,
    scores=scored(network=0.8, svc=0.7),
    system="network",
    champion=against(0.05),
    slices=(part("label neg", 0.04), part("label pos", 0.06)),
    latency=Latency(1.5, 4.0, 200),
    n_bytes=2_500_000,
    holdout_uses=1,
)
LEFT_OUT = Opponent("3", None, 50)


@pytest.mark.parametrize(
    ("rule", "seen", "settings", "passed", "figures"),
    [
        (BASELINES, {}, {}, True, "accuracy 0.8000 against 0.7000 of svc"),
        (BASELINES, {"scores": scored(network=0.8, svc=0.8)}, {}, False, "0.8000 of svc"),
        (
            BASELINES,
            {"scores": scored(network=0.7, svc=0.8, majority=0.5), "system": "svc"},
            {},
            True,
            "accuracy 0.8000 against 0.7000 of network, 0.5000 of majority",
        ),
        (BASELINES, {"system": "svc"}, {}, False, "accuracy 0.7000 against 0.8000 of network"),
        (
            BASELINES,
            {"scores": scored(network=0.8, svc=0.7, majority=0.9)},
            {},
            False,
            "0.9000 of majority",
        ),
        (BASELINES, {"scores": scored(network=0.8)}, {}, False, "no baseline was scored"),
        (
            BASELINES,
            {"scores": scored(network=0.1, svc=0.7)},
            {"must_beat_baselines": False},
            True,
            "0.1000",
        ),
        (CHAMPION, {}, {}, True, "0.8500 against 0.8000 of version 3, +0.0500"),
        (CHAMPION, {"champion": None}, {}, True, "no champion yet"),
        (CHAMPION, {"champion": against(0.05, p=0.05)}, {}, False, "p = 0.05"),
        (CHAMPION, {"champion": against(0.05, p=0.05)}, {"level": 0.1}, True, "p = 0.05"),
        (CHAMPION, {"champion": against(-0.05)}, {}, False, "-0.0500"),
        (CHAMPION, {"champion": LEFT_OUT}, {}, False, "version 3 trained on all 50 documents"),
        (EFFECT, {"champion": against(0.004)}, {}, True, "+0.0040"),
        (EFFECT, {"champion": against(0.004)}, {"min_effect": 0.005}, False, "+0.0040 accuracy"),
        (EFFECT, {"champion": against(0.006)}, {"min_effect": 0.005}, True, "+0.0060"),
        (EFFECT, {"champion": None}, {"min_effect": 0.005}, True, "no champion yet"),
        (EFFECT, {"champion": LEFT_OUT}, {"min_effect": 0.005}, False, "nothing in the holdout"),
        (SLICES, {}, {}, True, "worst of 2: label neg, accuracy 0.7400, n = 100, +0.0400"),
        (SLICES, {"slices": (part("label neg", -0.03),)}, {}, False, "label neg"),
        (SLICES, {"slices": (part("label neg", -0.03),)}, {"slice_margin": 0.05}, True, "-0.0300"),
        (SLICES, {"slices": (part("label neg", -0.03, p=0.2),)}, {}, True, "p = 0.2"),
        (
            SLICES,
            {"slices": (part("a", -0.03), part("b", -0.2, p=0.2), part("c", -0.05))},
            {},
            False,
            "worst of 3, 2 of them fail: c, ",
        ),
        (SLICES, {"slices": ()}, {"min_slice": 70}, True, "no slice has 70 documents"),
        (
            SLICES,
            {"champion": None, "slices": (part("a", None), Slice("b", 60, 0.4, None))},
            {},
            True,
            "no champion to compare with; weakest of 2: b, accuracy 0.4000, n = 60",
        ),
        (SPEED, {}, {}, True, "median 1.50 ms, 95% within 4.00 ms"),
        (SPEED, {}, {"max_latency_ms": 1.5}, True, "median 1.50 ms"),
        (SPEED, {}, {"max_latency_ms": 1.4}, False, "median 1.50 ms"),
        (SIZE, {}, {}, True, "2.50 MB"),
        (SIZE, {}, {"max_size_mb": 2.5}, True, "2.50 MB"),
        (SIZE, {}, {"max_size_mb": 2.4}, False, "2.50 MB"),
        (HOLDOUT, {}, {}, True, "used once, this run included"),
        (HOLDOUT, {"holdout_uses": 20}, {}, True, "used 20 times"),
        (HOLDOUT, {"holdout_uses": 21}, {}, False, "it needs a fresh one"),
        (HOLDOUT, {"holdout_uses": 21}, {"max_holdout_uses": None}, True, "21 times"),
    ],
)
def test_a_rule(rule, seen, settings, passed, figures):
    decision = decide(replace(GOOD, **seen), GateSettings(**settings))
    found = decision.rules[rule]
    assert (found.passed, decision.promoted) == (passed, passed)
    assert figures in found.figures
    assert found.limit
    assert passed or found.name in decision.reason


@pytest.mark.parametrize(
    ("rule", "seen", "passed"),
    [
        (BASELINES, {"scores": scored("log_loss", network=0.6, svc=0.7)}, True),
        (BASELINES, {"scores": scored("log_loss", network=0.8, svc=0.7)}, False),
        (CHAMPION, {"champion": against(-0.05)}, True),
        (CHAMPION, {"champion": against(0.05)}, False),
        (EFFECT, {"champion": against(-0.05)}, True),
        (EFFECT, {"champion": against(-0.005)}, False),
        (SLICES, {"slices": (part("a", -0.05), part("b", -0.01))}, True),
        (SLICES, {"slices": (part("a", -0.05), part("b", 0.03))}, False),
    ],
)
def test_less_is_better_where_the_goal_says_so(rule, seen, passed):
    good = {
        "scores": scored("log_loss", network=0.6, svc=0.7),
        "champion": against(-0.05),
        "slices": (),
    }
    evidence = replace(GOOD, goal=LESS, **(good | seen))
    assert decide(evidence, GateSettings(min_effect=0.01)).rules[rule].passed is passed


def test_the_reason_names_what_failed_and_what_was_wanted():
    settings = GateSettings(max_latency_ms=1, max_size_mb=1)
    reason = decide(GOOD, settings).reason
    assert reason.startswith("not promoted, failed: answers in time (median 1.50 ms")
    assert "wanted: median 1 ms or less" in reason
    assert "is small enough (2.50 MB; wanted: 1 MB or less)" in reason
    assert "beats" not in reason


def test_the_reason_of_a_promotion_names_no_rule_that_was_not_judged():
    assert decide(GOOD, GateSettings()).reason.startswith("promoted: beats every baseline (acc")
    reason = decide(GOOD, GateSettings(must_beat_baselines=False)).reason
    assert reason.startswith("promoted: beats the champion (accuracy 0.8500")


# Slices, cut from documents.

DOCUMENTS = pl.DataFrame(
    {
        "text": ["a" * n for n in range(1, 7)],
        "label": ["x", "x", "x", "y", "y", None],
        "source": ["one.csv"] * 4 + ["two.csv"] * 2,
    }
)
OURS = np.array([1, 1, 0, 0, 0, 1.0])


def names(**settings: object) -> dict[str, int]:
    chosen = GateSettings(**{"min_slice": 1, **settings})
    return {
        each.name: each.n
        for each in sliced(DOCUMENTS, OURS, None, paired_test(HEAD, chosen), chosen)
    }


def test_slices_are_cut_by_label_length_and_source():
    assert names() == {
        "label x": 3,
        "label y": 2,
        "length short (at most 2 characters)": 2,
        "length medium (up to 4 characters)": 2,
        "length long (over 4 characters)": 2,
        "source one.csv": 4,
        "source two.csv": 2,
    }


def test_a_slice_that_is_too_small_or_not_wanted_is_no_slice():
    assert names(min_slice=3, slices=("label",)) == {"label x": 3}
    assert names(slices=()) == {}


def test_each_slice_compares_the_same_documents_of_both():
    theirs = np.ones(6)
    settings = GateSettings(min_slice=1, slices=("label",))
    x, y = sliced(DOCUMENTS, OURS, theirs, paired_test(HEAD, settings), settings)
    assert (x.challenger, x.comparison.difference, x.comparison.n) == (2 / 3, -1 / 3, 3)
    assert (y.challenger, y.comparison.difference) == (0.0, -1.0)


# The test that the settings ask for.


@pytest.mark.parametrize(
    ("name", "told"),
    [("auto", "McNemar, exact"), ("mcnemar", "McNemar, exact"), ("bootstrap", "paired bootstrap")],
)
def test_the_paired_test_is_the_one_asked_for(name, told):
    better, worse = np.ones(40), np.repeat([0.0, 1.0], 20)
    found = paired_test(HEAD, GateSettings(test=name))(better, worse)
    assert (found.test, found.difference, found.n) == (told, 0.5, 40)
    assert found.p_value < 0.001
    same = paired_test(HEAD, GateSettings(test=name))(worse, worse)
    assert same.p_value == 1.0


def test_mcnemar_refuses_scores_with_degrees():
    test = paired_test(HEAD, GateSettings(test="mcnemar"))
    with pytest.raises(InputError, match=r"gate\.test.*bootstrap"):
        test(np.array([0.5, 1.0]), np.array([0.0, 1.0]))
