from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.evaluation.report import Score, Scores
from lslm.heads.contract import Comparison, Goal
from lslm.settings import RegistrySettings
from lslm.tracking import registry
from lslm.tracking.gate import ChampionComparison, compare_with_champion, decide

HEAD = heads.get("classify")
LOSS = replace(HEAD, goal=Goal("log_loss", "minimize"))


def scored(metric: str = "accuracy", **systems: float) -> Scores:
    return Scores(
        systems={
            system: {metric: Score(value=value, low=0, high=1, n=9)}
            for system, value in systems.items()
        },
        differences=(),
    )


def against(difference: float, p: float) -> ChampionComparison:
    found = Comparison("McNemar, exact", difference, -0.1, 0.1, p, 100)
    return ChampionComparison("3", found, 0, 0.8 + difference, 0.8)


@pytest.mark.parametrize(
    ("scores", "champion", "promoted", "reason"),
    [
        (scored(network=0.8, svc=0.7), None, True, "no champion yet"),
        (scored(network=0.8, svc=0.8), None, False, "accuracy 0.8000 against 0.8000 of svc"),
        (scored(network=0.8, svc=0.7, majority=0.9), None, False, "0.9000 of majority"),
        (scored(network=0.8), None, False, "no baseline was scored"),
        (scored(network=0.8, svc=0.7), against(0.05, 0.01), True, "0.8500 against 0.8000 of vers"),
        (scored(network=0.8, svc=0.7), against(0.05, 0.05), False, "p = 0.05, level 0.05"),
        (scored(network=0.8, svc=0.7), against(-0.05, 0.01), False, "-0.0500"),
        (
            scored(network=0.8, svc=0.7),
            ChampionComparison("3", None, 50),
            False,
            "version 3 trained on all 50 documents",
        ),
    ],
)
def test_the_gate(scores, champion, promoted, reason):
    decision = decide(
        head=HEAD,
        scores=scores,
        settings=RegistrySettings(),
        champion=champion,
        holdout_uses=1,
    )
    assert decision.promoted is promoted
    assert reason in decision.reason
    assert all(rule.passed for rule in decision.rules) is promoted


def test_less_is_better_where_the_goal_says_so():
    def ask(network: float, difference: float) -> bool:
        scores = scored("log_loss", network=network, svc=0.7)
        return decide(LOSS, scores, RegistrySettings(), against(difference, 0.01), 1).promoted

    assert ask(0.6, -0.05)
    assert not ask(0.6, 0.05)
    assert not ask(0.8, -0.05)


def test_baselines_need_not_be_beaten_where_a_setting_says_so():
    settings = RegistrySettings(must_beat_baselines=False)
    assert decide(HEAD, scored(network=0.1, svc=0.7), settings, None, 1).promoted


def test_the_uses_of_the_holdout_are_shown():
    decision = decide(HEAD, scored(network=0.8, svc=0.7), RegistrySettings(), None, 4)
    assert decision.rules[-1].figures == "4 times, this run included"


HOLDOUT = pl.DataFrame(
    {
        "text": ["fine", "dull", "fine fine", "so dull"],
        "label": ["good", "bad", "good", "bad"],
        "fingerprint": pl.Series([1, 2, 3, 4], dtype=pl.UInt64),
    }
)
LABELS = {"labels": ["bad", "good"]}
WRONG = np.array([[0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.4, 0.6]])


def compared(store, settings, candidate, seen=(), outputs=WRONG, targets=LABELS, **named):
    version = registry.register(store, settings, candidate(seen=seen))
    registry.promote(store, settings.model_name, version, "first")
    return compare_with_champion(
        store, settings.model_name, HOLDOUT, HEAD, outputs, targets, **named
    )


def test_the_first_model_has_no_champion_to_beat(store, settings):
    assert compare_with_champion(store, settings.name, HOLDOUT, HEAD, WRONG, LABELS) is None


def test_challenger_and_champion_answer_for_the_same_documents(store, settings, candidate):
    found = compared(store, settings, candidate)
    assert (found.challenger, found.champion, found.n_left_out) == (0.75, 1.0, 0)
    assert found.comparison.difference == -0.25


def test_documents_the_champion_trained_on_are_left_out(store, settings, candidate):
    found = compared(store, settings, candidate, seen=(4, 1, 99))
    assert (found.comparison.n, found.n_left_out, found.challenger) == (2, 2, 1.0)


def test_a_champion_that_trained_on_the_whole_holdout_is_not_compared(store, settings, candidate):
    found = compared(store, settings, candidate, seen=(1, 2, 3, 4))
    assert found.comparison is None


def test_labels_the_champion_lacks_are_its_mistakes(store, settings, candidate):
    three = {"labels": ["bad", "dull", "good"]}
    outputs = np.array([[0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]], float)
    holdout = HOLDOUT.with_columns(label=pl.Series(["good", "dull", "good", "bad"]))
    registry.promote(
        store, settings.model_name, registry.register(store, settings, candidate()), "first"
    )
    found = compare_with_champion(store, settings.model_name, holdout, HEAD, outputs, three)
    assert (found.challenger, found.champion) == (1.0, 0.75)


def test_a_run_taken_up_again_does_not_fight_its_own_model(store, settings, candidate, run_id):
    assert compared(store, settings, candidate, run_id=run_id) is None
