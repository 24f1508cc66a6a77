import numpy as np
import pytest

from lslm.heads.ragged import ragged
from lslm.heads.summarize import metrics
from lslm.heads.summarize.head import HEAD

LENGTH = {"n_sentences": 1}
TRUTH = ragged(
    [
        {
            "sentences": ["a b c d", "e f"],
            "references": ["a b", "e f"],
            "gains": [0.5, 1.0],
            "labels": [0, 1],
            "length": LENGTH,
            "language": "fr",
        },
        {
            "sentences": ["x y"],
            "references": ["x z"],
            "gains": [0.5],
            "labels": [0],
            "length": LENGTH,
            "language": "fr",
        },
    ]
)
FIRST, SECOND = (
    ragged([np.array([0.9, 0.1]), np.array([0.2])]),
    ragged([np.array([0.1, 0.9]), np.array([0.2])]),
)


@pytest.mark.parametrize(
    ("metric", "first", "second"),
    [
        (metrics.rouge1, [2 / 3, 0.5], [1.0, 0.5]),
        (metrics.rouge2, [0.5, 0.0], [1.0, 0.0]),
        (metrics.rouge_l, [2 / 3, 0.5], [1.0, 0.5]),
        (metrics.sentence_f1, [0.0, 0.0], [1.0, 0.0]),
        (metrics.compression, [2 / 3, 1.0], [1 / 3, 1.0]),
    ],
)
def test_by_hand(metric, first, second) -> None:
    assert metric(TRUTH, FIRST).tolist() == pytest.approx(first)
    assert metric(TRUTH, SECOND).tolist() == pytest.approx(second)


def test_the_goal_is_the_mean_of_the_documents_scores() -> None:
    assert HEAD.metrics["rouge1"](TRUTH, SECOND) == pytest.approx(0.75)
    assert HEAD.example_scores(TRUTH, SECOND).tolist() == [1.0, 0.5]


def test_details_count_every_document_once() -> None:
    rows = HEAD.details(TRUTH, SECOND, {})
    assert sum(row["n"] for row in rows) == 2
