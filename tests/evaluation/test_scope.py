"""In-scope accuracy and out-of-scope recall are told together, for both ways."""

import numpy as np
import pytest

from lslm import heads
from lslm.evaluation import scope
from lslm.evaluation.answers import Answers
from lslm.evaluation.scope import Strangers
from lslm.evaluation.sections import scope_text
from lslm.settings import EvaluationSettings, Settings

HEAD = heads.get("classify")
SETTINGS = EvaluationSettings(resamples=200)


def answers(outputs: list[list[float]], truth: list[int], labels: tuple[str, ...]) -> Answers:
    given = {"network": np.array(outputs)}
    return Answers(np.array(truth), given, {"labels": list(labels)}, {})


INSIDE = answers([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], [0, 1, 0, 0], ("a", "b"))
OUTSIDE = Strangers(np.array([[0.5, 0.5], [0.7, 0.3]]))


def test_below_the_threshold_a_document_counts_as_out_of_scope() -> None:
    found = scope.by_threshold(
        "other", 0.65, INSIDE, INSIDE, (OUTSIDE, Strangers(OUTSIDE.outputs[:1])), SETTINGS
    )
    # Of the four the third is not sure enough and the fourth is wrong.
    assert (found.holdout.accuracy.value, found.holdout.accuracy.n) == (0.5, 4)
    assert found.development.recall is not None
    assert (found.development.recall.value, found.development.recall.n) == (0.5, 2)
    assert found.holdout.recall is not None
    assert (found.holdout.recall.value, found.holdout.recall.n) == (1.0, 1)


def test_documents_of_a_group_are_drawn_together() -> None:
    outputs = np.repeat([[0.5, 0.5], [0.7, 0.3], [0.5, 0.5], [0.6, 0.4], [0.7, 0.3]], 8, axis=0)
    alone, together = (
        scope.by_threshold(
            "other", 0.65, INSIDE, INSIDE, (Strangers(outputs, groups), OUTSIDE), SETTINGS
        ).development.recall
        for groups in (None, np.repeat(np.arange(5), 8))
    )
    assert alone is not None
    assert together is not None
    assert alone.value == together.value == 0.6
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_without_such_documents_in_the_holdout_no_recall_is_told() -> None:
    nothing = Strangers(np.zeros((0, 2)))
    found = scope.by_threshold("other", 0.65, INSIDE, INSIDE, (OUTSIDE, nothing), SETTINGS)
    assert found.holdout.recall is None
    assert "no such documents" in scope_text(found)


def test_a_class_of_its_own_is_told_apart_like_any_other() -> None:
    outputs = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7], [0.1, 0.6, 0.3], [0.3, 0.5, 0.2]]
    given = answers(outputs, [0, 1, 2, 2, 0], ("a", "b", "other"))
    found = scope.as_class("other", ("a", "b", "other"), given, given, SETTINGS)
    assert (found.holdout.accuracy.value, found.holdout.accuracy.n) == (pytest.approx(2 / 3), 3)
    assert found.holdout.recall is not None
    assert (found.holdout.recall.value, found.holdout.recall.n) == (0.5, 2)
    assert "were learned as a class" in scope_text(found)


def test_the_threshold_separates_what_can_be_separated() -> None:
    sure = answers([[0.99, 0.01], [0.02, 0.98]] * 20, [0, 1] * 20, ("a", "b"))
    below = scope.threshold(HEAD, [sure, sure], OUTSIDE.outputs)
    assert 0.7 < below <= 0.99


def test_two_thresholds_are_refused() -> None:
    both = {"split": {"out_of_scope": "other"}, "evaluation": {"wanted_accuracy": 0.9}}
    with pytest.raises(ValueError, match="both set the probability"):
        Settings.model_validate({"name": "intents", **both})
    learned = {**both, "split": {"out_of_scope": "other", "train_out_of_scope": True}}
    assert Settings.model_validate({"name": "intents", **learned})
