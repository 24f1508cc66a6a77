from dataclasses import replace
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


def test_folds_of_different_labels_are_scored_on_their_union() -> None:
    scores = score_folds(HEAD, [given(40), given(20, labels=("b", "c"))], SETTINGS)
    # Only the first fold knows "a", only the second "c"; both have 20 documents of "b".
    assert [(row["label"], row["support"]) for row in scores.details] == [
        ("a", 20),
        ("b", 40),
        ("c", 20),
    ]
    assert scores.systems["network"]["accuracy"].value == 0.75
    assert scores.systems["network"]["log_loss"].value == pytest.approx(0.25 * -np.log(1e-7))


def test_folds_of_other_different_targets_are_refused() -> None:
    one, other = given(40), given(40)
    other.targets["order"] = 3
    with pytest.raises(InputError, match="different targets"):
        score_folds(HEAD, [one, other], SETTINGS)


def test_folds_of_a_language_model_have_pieces_of_words_of_their_own() -> None:
    sizes, nats = np.array([[4, 20], [2, 10]]), np.array([8.0, 4.0])
    folds = [
        Answers(sizes, {"network": nats}, {"options": {"subwords": 9}, "pieces": pieces}, {})
        for pieces in (["a", "b"], ["b", "c"])
    ]
    scores = score_folds(heads.get("language-model"), folds, SETTINGS).systems["network"]
    assert scores["cross_entropy"].value == 2.0
    folds[1].targets["options"] = {"subwords": 10}
    with pytest.raises(InputError, match="different targets"):
        score_folds(heads.get("language-model"), folds, SETTINGS)


def test_the_interval_of_a_difference_has_the_confidence_asked_for() -> None:
    wide, narrow = (
        score_systems(HEAD, given(30), EvaluationSettings(confidence=share)).differences[0]
        for share in (0.99, 0.5)
    )
    assert wide.low < narrow.low < narrow.difference < narrow.high < wide.high


def test_answers_that_are_not_numbers_are_not_scored() -> None:
    broken = given(30)
    broken.outputs["network"][3] = np.nan
    with pytest.raises(ValueError, match="network: 1 of 40 answers"):
        score_systems(HEAD, broken, SETTINGS)


def test_answers_survive_saving(tmp_path: Path) -> None:
    answers.save(tmp_path / "kept", given(30))
    loaded = answers.load(tmp_path / "kept")
    assert np.array_equal(loaded.outputs["network"], given(30).outputs["network"])
    assert (loaded.targets, loaded.part) == (given(30).targets, given(30).part)
    assert loaded.groups is None
    grouped = replace(given(30), groups=np.arange(40) // 2)
    answers.save(tmp_path / "grouped", grouped)
    assert np.array_equal(answers.load(tmp_path / "grouped").groups, grouped.groups)


def test_documents_of_a_group_are_drawn_together_over_the_folds() -> None:
    """Each document comes twice, in one group of its own fold: as if it came once."""
    alone, twice = [given(30), given(25)], []
    for number, fold in enumerate(alone):
        rows = np.repeat(np.arange(40), 2)
        outputs = {name: values[rows] for name, values in fold.outputs.items()}
        groups = rows + 40 * number
        twice.append(replace(fold, truth=fold.truth[rows], outputs=outputs, groups=groups))
    settings = EvaluationSettings(resamples=4000)
    single, paired = (score_folds(HEAD, folds, settings) for folds in (alone, twice))
    assert paired.differences[0].test == "randomization"
    for one, two in (
        (single.systems["network"]["accuracy"], paired.systems["network"]["accuracy"]),
        (single.systems["network"]["macro_f1"], paired.systems["network"]["macro_f1"]),
        (single.differences[0], paired.differences[0]),
    ):
        assert (two.low, two.high) == (
            pytest.approx(one.low, abs=0.02),
            pytest.approx(one.high, abs=0.02),
        )


def test_the_table_has_a_row_a_system() -> None:
    table = scores_table(score_systems(HEAD, given(30), SETTINGS))
    assert [line.split("|")[1].strip() for line in table.splitlines()] == [
        "system",
        "---",
        "network",
        "majority",
    ]
