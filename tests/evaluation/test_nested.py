"""What the optimism comes to, on answers that are known."""

from dataclasses import replace

import numpy as np
import pytest

from lslm import heads
from lslm.cli import ending
from lslm.evaluation.answers import Answers
from lslm.evaluation.nested import Search, nested_scores
from lslm.evaluation.nested_text import nested_text
from lslm.evaluation.report import FoldScores, NestedScores, RunReport, Score
from lslm.settings import EvaluationSettings
from tests.cli.samples import REPORT

HEAD = heads.get("classify")
SETTINGS = EvaluationSettings(resamples=200)


def answers(right: list[int]) -> Answers:
    """Of 20 documents, half of each label, those named are answered right."""
    truth = np.arange(20) % 2
    said = np.where(np.isin(np.arange(20), right), truth, 1 - truth)
    outputs = np.where(np.eye(2)[said], 0.8, 0.2)
    return Answers(truth.astype(np.int32), {"network": outputs}, {"labels": ["a", "b"]}, {})


def search(units: int, best: float | None = 0.9) -> Search:
    trials = [{"trial": 0, "parameters": {"encoder.units": units}}]
    counts = {"n_complete": 1, "n_pruned": 1, "seconds": 3.0}
    chosen = {"encoder.units": units, "training.epochs": 4, "encoder.layers": 1}
    return Search(chosen, {"value": best, "trials": trials, **counts})


FOLDS = [answers(list(range(16))), answers(list(range(14)))]
NESTED = [answers(list(range(13))), answers(list(range(1, 14)))]
SEARCHES = [search(8), search(16, best=None)]


def scores() -> NestedScores:
    found = nested_scores(HEAD, FOLDS, NESTED, SEARCHES, search(8, 0.95), SETTINGS)
    assert found is not None
    return found


def told_in(found: NestedScores) -> RunReport:
    system = {name: Score(value=0.75, low=0.7, high=0.8, n=40) for name in found.scores}
    folds = FoldScores(systems={"network": system}, differences=(), folds=())
    return REPORT.model_copy(update={"nested": found, "cross_validation": folds})


def test_the_optimism_is_the_searched_score_minus_the_nested_one() -> None:
    # 30 of 40 right against 26 of 40: four documents that only the searched configuration gets right.
    found = scores()
    assert found.scores["accuracy"].value == pytest.approx(26 / 40)
    assert found.optimism.difference == pytest.approx(4 / 40)
    assert found.optimism.n == found.scores["accuracy"].n == 40


def test_its_interval_is_that_of_paired_documents() -> None:
    # Four of 40 differ: a binomial share of 0.1, whose 95 % interval by hand is 0.1 ± 1.96 · sqrt(0.1 · 0.9 / 40).
    # Unpaired scores of 0.75 and 0.65 would leave twice as much room.
    found = nested_scores(
        HEAD, FOLDS, NESTED, SEARCHES, search(8), SETTINGS.model_copy(update={"resamples": 4000})
    )
    assert found is not None
    half = (found.optimism.high - found.optimism.low) / 2
    assert half == pytest.approx(1.96 * (0.1 * 0.9 / 40) ** 0.5, abs=0.02)


def test_each_fold_tells_what_it_chose_and_what_that_came_to() -> None:
    first, second = scores().choices
    assert first.chosen == {"encoder.units": 8, "training.epochs": 4}
    assert (first.value, first.best, first.n, first.n_trials) == (13 / 20, 0.9, 20, 2)
    assert (second.chosen["encoder.units"], second.best) == (16, None)


def test_answers_for_other_documents_are_refused() -> None:
    turned = replace(NESTED[1], truth=1 - NESTED[1].truth)
    with pytest.raises(ValueError, match="other documents"):
        nested_scores(HEAD, FOLDS, [NESTED[0], turned], SEARCHES, search(8), SETTINGS)


def test_the_terminal_tells_both_scores_and_their_difference(capsys: pytest.CaptureFixture) -> None:
    ending.show(told_in(scores()))
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("Nested cross-validation, a search inside each of 2 folds")
    rows = [line.split("  ")[0] for line in lines[at + 2 : at + 5]]
    assert rows == ["nested", "searched, same documents", "optimism, paired"]
    assert "0.650" in lines[at + 2]
    assert "+0.100" in lines[at + 4]


def test_nothing_nested_is_nothing_told() -> None:
    assert nested_scores(HEAD, FOLDS, [], [], search(8), SETTINGS) is None
    assert nested_text(REPORT) == ""


@pytest.mark.parametrize(
    ("low", "high", "direction", "said"),
    [
        (0.02, 0.18, "maximize", "flatters: believe the nested one"),
        (-0.02, 0.18, "maximize", "no optimism shows"),
        (-0.18, -0.02, "maximize", "does better than those made on fewer documents"),
        (-0.18, -0.02, "minimize", "flatters: believe the nested one"),
    ],
)
def test_the_page_says_whether_the_search_flatters(low, high, direction, said) -> None:
    found = scores()
    gap = found.optimism.model_copy(
        update={"difference": (low + high) / 2, "low": low, "high": high}
    )
    told_of = found.model_copy(update={"optimism": gap})
    report = told_in(told_of).model_copy(update={"direction": direction})
    text = nested_text(report)
    assert said in text
    assert "| 1 | 0.6500 | 0.9000 | 2 | 8 | 4 |" in text
    assert "| 2 | 0.6500 | none | 2 | 16 | 4 |" in text
    assert "| all |  | 0.9500 |  | 8 | 4 |" in text
    assert "encoder.units: 1 of 2, training.epochs: 2 of 2" in text
