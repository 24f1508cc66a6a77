from pathlib import Path

import numpy as np
import pytest

from lslm import heads
from lslm.errors import InputError
from lslm.evaluation import answers
from lslm.evaluation.answers import Answers
from lslm.evaluation.markdown import scores_table
from lslm.evaluation.scoring import score_folds, score_systems
from lslm.settings import EvaluationSettings

HEAD, SETTINGS = heads.get("classify"), EvaluationSettings(resamples=200)


def given(n_right: int, n: int = 40, labels: tuple[str, ...] = ("a", "b")) -> Answers:
    truth = np.arange(n) % 2
    said = np.where(np.arange(n) < n_right, truth, 1 - truth)
    outputs = {"network": np.eye(2)[said], "majority": np.eye(2)[np.zeros(n, int)]}
    return Answers(truth, outputs, {"labels": list(labels)}, {"vocabulary": 7})


def test_scores_carry_interval_and_n() -> None:
    score = score_systems(HEAD, given(30), SETTINGS).systems["network"]["accuracy"]
    assert (score.value, score.n) == (0.75, 40)
    assert 0.5 < score.low < 0.75 < score.high < 0.95


def test_the_network_is_compared_with_each_baseline_on_the_same_documents() -> None:
    (difference,) = score_systems(HEAD, given(30), SETTINGS).differences
    assert difference.against == "majority"
    assert difference.difference == pytest.approx(0.25)


def test_folds_are_pooled_and_kept_apart() -> None:
    scores = score_folds(HEAD, [given(40), given(20)], SETTINGS)
    assert scores.systems["network"]["accuracy"].value == 0.75
    assert [fold["network"]["accuracy"] for fold in scores.folds] == [1.0, 0.5]


def test_folds_of_different_labels_are_refused() -> None:
    with pytest.raises(InputError, match="same labels"):
        score_folds(HEAD, [given(40), given(40, labels=("a", "c"))], SETTINGS)


def test_answers_survive_saving(tmp_path: Path) -> None:
    answers.save(tmp_path / "kept", given(30))
    loaded = answers.load(tmp_path / "kept")
    assert np.array_equal(loaded.outputs["network"], given(30).outputs["network"])
    assert (loaded.targets, loaded.part) == (given(30).targets, given(30).part)


def test_the_table_has_a_row_a_system() -> None:
    table = scores_table(score_systems(HEAD, given(30), SETTINGS))
    assert [line.split("|")[1].strip() for line in table.splitlines()] == [
        "system",
        "---",
        "network",
        "majority",
    ]
