"""What is put forward is chosen on the folds."""

from dataclasses import replace

import numpy as np
import pytest

from lslm import heads
from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import temperature
from lslm.evaluation.candidate import as_served, best_system, in_place_of_network
from tests.evaluation.made import answers

HEAD = heads.get("classify")
SVC, MAJORITY = "word-char-svc", "majority"


def fold(**n_right: int) -> Answers:
    """Ten documents of label 0; each system is right about the first few."""
    outputs = {
        name.replace("_", "-"): np.eye(2)[np.where(np.arange(10) < right, 0, 1)] * 0.8 + 0.1
        for name, right in n_right.items()
    }
    return Answers(np.zeros(10, np.int32), outputs, {"labels": ["a", "b"]}, {})


@pytest.mark.parametrize(
    ("right", "best"),
    [
        ({"network": 8, "word_char_svc": 7}, "network"),
        ({"network": 7, "word_char_svc": 8}, SVC),
        ({"network": 7, "word_char_svc": 7}, "network"),
        # The majority cannot be kept: a model that looks at no text is no model.
        ({"network": 5, "word_char_svc": 5, "majority": 9}, "network"),
    ],
)
def test_the_best_on_the_folds_is_put_forward(right: dict[str, int], best: str) -> None:
    assert best_system(HEAD, [fold(**right), fold(**right)]) == best


def test_what_is_fitted_for_the_baseline_is_fitted_on_its_own_answers() -> None:
    given = answers(3000, temperature=2.0)
    honest = in_place_of_network([given], MAJORITY)
    assert temperature(HEAD, [given]) == pytest.approx(2.0, rel=0.1)
    assert temperature(HEAD, honest) == pytest.approx(1.0, rel=0.1)


def test_a_baseline_that_is_put_forward_is_scaled_as_the_network_is() -> None:
    given = [answers(3000, temperature=2.0, seed=seed) for seed in (0, 1)]
    # The baseline is the one that is too sure.
    swapped = [
        replace(
            each, outputs={"network": each.outputs[MAJORITY], MAJORITY: each.outputs["network"]}
        )
        for each in given
    ]
    for before, after in zip(swapped, as_served(HEAD, swapped, MAJORITY), strict=True):
        honest = before.outputs["network"]
        assert np.abs(before.outputs[MAJORITY] - honest).mean() > 0.05
        assert np.abs(after.outputs[MAJORITY] - honest).mean() < 0.02
        assert np.abs(after.outputs["network"] - honest).mean() < 0.02
