from dataclasses import replace

import numpy as np
import pytest

from lslm import heads
from lslm.evaluation.abstention import abstention, threshold
from lslm.evaluation.calibration import calibrated, calibration, temperature
from lslm.evaluation.pooling import pool
from lslm.settings import EvaluationSettings
from tests.evaluation.made import answers

HEAD = heads.get("classify")
OTHER = replace(HEAD, classes=None)
SETTINGS = EvaluationSettings(resamples=200)
FOLDS = [answers(2000, 2.0, seed) for seed in range(3)]


def test_a_fold_has_no_say_in_its_own_temperature() -> None:
    before = calibrated(HEAD, FOLDS)
    strange = answers(2000, 9.0, seed=7)
    after = calibrated(HEAD, [strange, *FOLDS[1:]])
    # The first fold is now another one, scaled by the same two others.
    told = calibration(HEAD, FOLDS, FOLDS[0], 2.0, SETTINGS)
    again = calibration(HEAD, [strange, *FOLDS[1:]], FOLDS[0], 2.0, SETTINGS)
    assert told is not None
    assert again is not None
    assert told.folds[0].temperature == again.folds[0].temperature
    assert told.folds[1].temperature != again.folds[1].temperature
    assert not np.allclose(before[1].outputs["network"], after[1].outputs["network"])


def test_what_was_too_sure_is_mended_on_each_fold() -> None:
    told = calibration(HEAD, FOLDS, FOLDS[0], temperature(HEAD, FOLDS), SETTINGS)
    assert told is not None
    assert told.temperature == pytest.approx(2.0, rel=0.1)
    for fold in told.folds:
        assert fold.after["ece"] < 0.5 * fold.before["ece"]
        assert fold.after["log_loss"] < fold.before["log_loss"]
        assert fold.after["accuracy"] == fold.before["accuracy"]


def test_baselines_and_truth_are_left_alone() -> None:
    for old, new in zip(FOLDS, calibrated(HEAD, FOLDS), strict=True):
        assert np.array_equal(old.outputs["majority"], new.outputs["majority"])
        assert np.array_equal(old.truth, new.truth)
        assert not np.allclose(old.outputs["network"], new.outputs["network"])


def test_the_holdout_is_told_as_served_and_as_it_would_have_been() -> None:
    raw = answers(800, 2.0, seed=9)
    (served, _) = calibrated(HEAD, [raw, raw])
    fitted = temperature(HEAD, [raw])
    told = calibration(HEAD, FOLDS, served, fitted, SETTINGS)
    assert told is not None
    ece = HEAD.metrics["ece"]
    assert told.holdout_before["ece"] == pytest.approx(ece(raw.truth, raw.outputs["network"]))
    assert told.by_chance == pytest.approx(ece(served.truth, served.outputs["network"]), abs=0.03)
    assert sum(each.n for each in told.reliability) == 800


def test_folds_of_different_labels_are_fitted_together() -> None:
    other = [answers(800, 2.0, 5, labels=("b", "c", "d")), *FOLDS[1:]]
    assert temperature(HEAD, other) == pytest.approx(2.0, rel=0.1)
    assert calibrated(HEAD, other)[0].outputs["network"].shape == (800, 3)


def test_a_head_without_classes_is_not_calibrated() -> None:
    assert temperature(OTHER, FOLDS) == 1.0
    assert calibration(OTHER, FOLDS, FOLDS[0], 1.0, SETTINGS) is None
    assert threshold(OTHER, FOLDS, 0.9) is None
    kept = calibrated(OTHER, FOLDS)
    assert all(old.outputs is new.outputs for old, new in zip(FOLDS, kept, strict=True))


def test_the_threshold_is_chosen_on_the_folds_and_judged_on_the_holdout() -> None:
    wanted = EvaluationSettings(resamples=200, wanted_accuracy=0.9)
    below = threshold(HEAD, FOLDS, wanted.wanted_accuracy)
    assert below is not None
    pooled = pool(HEAD, calibrated(HEAD, FOLDS))
    outputs = pooled.outputs["network"]
    kept = outputs.max(axis=1) >= below
    assert (outputs.argmax(axis=1) == pooled.truth)[kept].mean() == pytest.approx(0.9, abs=0.005)
    holdout = answers(1000, 1.0, seed=11)
    told = abstention(HEAD, holdout, below, wanted)
    assert told is not None
    assert told.accuracy is not None
    sure = holdout.outputs["network"].max(axis=1) >= below
    assert told.coverage.value == sure.mean()
    assert told.accuracy.n == sure.sum()
    assert told.accuracy.low < 0.9 < told.accuracy.high


def test_what_cannot_be_reached_is_said_and_nothing_is_held_back() -> None:
    settings = EvaluationSettings(resamples=200, wanted_accuracy=0.99)
    wrong = [replace(fold, truth=(fold.outputs["network"].argmin(axis=1))) for fold in FOLDS]
    assert threshold(HEAD, wrong, 0.99) is None
    told = abstention(HEAD, FOLDS[0], None, settings)
    assert told is not None
    assert (told.below, told.coverage.value) == (None, 1.0)


def test_nothing_is_held_back_unless_it_is_wanted() -> None:
    assert threshold(HEAD, FOLDS, None) is None
    assert abstention(HEAD, FOLDS[0], None, SETTINGS) is None
