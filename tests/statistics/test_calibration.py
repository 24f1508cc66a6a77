from itertools import pairwise

import numpy as np
import pytest

from lslm.statistics.abstention import coverage_curve, scope_threshold, threshold_for
from lslm.statistics.calibration import (
    CalibrationError,
    by_chance,
    expected_calibration_error,
    fit_temperature,
    reliability,
    scale,
)
from lslm.statistics.intervals import bootstrap
from lslm.statistics.label_errors import likely_label_errors
from lslm.statistics.resampling import Draws


def drawn(n: int, seed: int = 0, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and truths drawn as they say."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(n_classes, 0.7), n)
    return probabilities, np.array([rng.choice(n_classes, p=row) for row in probabilities])


def test_bins_are_the_quantile_bins_of_scikit_learn() -> None:
    from sklearn.calibration import calibration_curve

    probabilities, truth = drawn(997)
    right, sure = probabilities.argmax(1) == truth, probabilities.max(1)
    expected = calibration_curve(right, sure, n_bins=10, strategy="quantile")
    bins = reliability(probabilities, truth, n_bins=10)
    assert np.allclose([[b.accuracy for b in bins], [b.confidence for b in bins]], expected)
    assert sum(b.n for b in bins) == 997
    assert all(one.high < other.low for one, other in pairwise(bins))


def test_the_error_is_the_one_worked_by_hand() -> None:
    # Two bins of five: 0.8 sure and 3 of 5 right, 0.95 sure and 5 of 5 right.
    sure = np.array([0.8] * 5 + [0.95] * 5)
    truth = np.array([0, 0, 0, 1, 1] + [0] * 5)
    error = CalibrationError(n_bins=2)(truth, np.stack([sure, 1 - sure], axis=1))
    assert error == pytest.approx(0.5 * 0.2 + 0.5 * 0.05)


def test_answers_of_one_confidence_are_one_bin_however_they_are_ordered() -> None:
    outputs, truth = np.tile([0.75, 0.25], (100, 1)), np.arange(100) % 4 == 0
    assert expected_calibration_error(truth.astype(int), outputs) == pytest.approx(0.0)


def test_the_error_of_right_probabilities_is_what_chance_gives() -> None:
    probabilities, truth = drawn(3000)
    chance = by_chance(probabilities, draws=200, seed=0)
    assert expected_calibration_error(truth, probabilities) == pytest.approx(chance, abs=0.012)
    sharp = scale(probabilities, 0.3)
    assert expected_calibration_error(truth, sharp) > 5 * by_chance(sharp, draws=200, seed=0)


def test_its_fast_interval_agrees_with_resampling_documents() -> None:
    probabilities, truth = drawn(600)
    probabilities = scale(probabilities, 0.5)
    given = {"resamples": 1500, "confidence": 0.9, "seed": 0}
    value, *fast = bootstrap(expected_calibration_error, truth, probabilities, **given)
    rows = Draws(1500, np.random.default_rng(0), None).rows(len(truth))
    slow = np.array([expected_calibration_error(truth[r], probabilities[r]) for r in rows])
    assert slow.mean() > value
    shifted = slow - (slow.mean() - value)
    assert fast == pytest.approx(np.quantile(shifted, [0.05, 0.95]), abs=0.012)


@pytest.mark.parametrize("gap", [0.0, 0.05])
def test_its_interval_covers_the_error_that_is_expected(gap: float) -> None:
    rng, n, covered = np.random.default_rng(1), 500, 0

    def sample() -> tuple[np.ndarray, np.ndarray]:
        sure = rng.uniform(0.55, 0.95, n)
        truth = (rng.random(n) > sure - gap).astype(int)
        return truth, np.column_stack([sure, 1 - sure])

    expected = np.mean([expected_calibration_error(*sample()) for _ in range(300)])
    for seed in range(60):
        _, low, high = bootstrap(
            expected_calibration_error, *sample(), resamples=300, confidence=0.95, seed=seed
        )
        covered += low <= expected <= high
    # Uncorrected, about two in three.
    assert covered >= 50


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    probabilities, truth = drawn(20_000)
    distorted = scale(probabilities, 1 / temperature)
    assert fit_temperature(distorted, truth) == pytest.approx(temperature, rel=0.05)


def test_a_class_without_a_chance_keeps_none_and_does_not_break_the_fit() -> None:
    outputs = np.array([[0.7, 0.3, 0.0], [0.0, 0.9, 0.1], [0.6, 0.4, 0.0]], np.float32)
    assert scale(outputs, 3.0)[0, 2] == 0.0
    assert scale(outputs, 3.0).dtype == np.float32
    assert np.isfinite(fit_temperature(outputs, np.array([2, 1, 1])))


def test_scaling_keeps_the_order_of_classes_and_can_be_undone() -> None:
    probabilities, _ = drawn(50)
    cooled = scale(probabilities, 1.7)
    assert np.array_equal(cooled.argsort(axis=1), probabilities.argsort(axis=1))
    assert np.allclose(scale(cooled, 1 / 1.7), probabilities)
    assert np.allclose(cooled.sum(axis=1), 1)
    assert scale(np.zeros((0, 3)), 2.0).shape == (0, 3)


def test_where_all_is_right_the_probabilities_stay() -> None:
    assert fit_temperature(np.array([[0.6, 0.4], [0.3, 0.7]]), np.array([0, 1])) == 1.0


def test_the_scope_threshold_weighs_both_sides_alike() -> None:
    inside = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    truth = np.array([0, 0, 0, 1])
    # At 0.8 two of four stay right and all others are told apart: 0.5 + 1 is the largest sum.
    outside = np.array([[0.7, 0.3], [0.65, 0.35]])
    assert scope_threshold(inside, truth, outside) == 0.8
    # Where the others look like any document, nothing is won by a threshold.
    assert scope_threshold(inside[:3], truth[:3], np.array([[0.95, 0.05]])) == 0.0


def test_the_threshold_is_the_lowest_that_is_right_often_enough() -> None:
    sure = np.array([0.5, 0.6, 0.6, 0.7, 0.8, 0.9])
    outputs, truth = np.stack([sure, 1 - sure], axis=1), np.array([1, 1, 0, 0, 0, 0])
    assert threshold_for(outputs, truth, wanted=0.8) == 0.6
    assert threshold_for(outputs, truth, wanted=1.0) == 0.7
    assert threshold_for(outputs, truth, wanted=0.6) == 0.0
    assert threshold_for(outputs, 1 - truth, wanted=0.5) is None
    thresholds, coverage, accuracy = coverage_curve(outputs, truth)
    assert thresholds.tolist() == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert coverage == pytest.approx([1, 5 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert accuracy == pytest.approx([4 / 6, 4 / 5, 1, 1, 1])


def test_planted_label_errors_are_named_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400)
    # Scaling also makes rows sum to 1.
    outputs = scale((0.05 + 0.8 * np.eye(4)[truth]) * rng.uniform(0.5, 1.5, (400, 4)), 1.0)
    planted = rng.choice(400, 20, replace=False)
    given = truth.copy()
    given[planted] = (truth[planted] + 1) % 4
    found = likely_label_errors(outputs, given)
    # Those on which the answers are less sure than usual for the class are left alone.
    assert set(found) < set(planted)
    assert len(found) >= 12
    margins = outputs[found, given[found]] - outputs[found].max(axis=1)
    assert np.all(np.diff(margins) >= 0)


def test_a_class_that_no_document_carries_is_never_claimed() -> None:
    outputs = np.array([[0.2, 0.1, 0.7], [0.6, 0.2, 0.2], [0.1, 0.6, 0.3]])
    assert likely_label_errors(outputs, np.array([0, 0, 1])).tolist() == []
