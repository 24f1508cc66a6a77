import json

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.evaluation.answers import Answers
from lslm.evaluation.slices import Answered, by_rare_words, partitions, parts, slice_scores
from lslm.settings import EvaluationSettings, TextSettings

HEAD = heads.get("classify")
SETTINGS, TEXT = EvaluationSettings(resamples=200), TextSettings()


def answered(n: int, wrong_in: str = "") -> Answered:
    """All right, but in one language half of them."""
    rows = np.arange(n)
    languages = ["de" if row % 4 == 0 else "en" for row in rows]
    truth = rows % 2
    said = np.where((np.array(languages) == wrong_in) & (rows % 8 == 0), 1 - truth, truth)
    documents = pl.DataFrame(
        {
            "text": [f"word{row % 3} " * (1 + row % 9) for row in rows],
            "label": [("neg", "pos")[place] for place in truth],
            "source": ["one.csv"] * n,
            "metadata": [json.dumps({"language": language}) for language in languages],
        }
    )
    return Answered(documents, Answers(truth, {"network": np.eye(2)[said]}, {}, {}))


def test_the_slice_that_fails_is_first_with_its_interval_and_the_holdout_s_score() -> None:
    found = slice_scores(HEAD, answered(400, "de"), answered(80, "de"), TEXT, 50, SETTINGS)
    worst = found[0]
    assert (worst.name, worst.score.value, worst.score.n) == ("language de", 0.5, 100)
    assert 0.35 < worst.score.low < 0.5 < worst.score.high < 0.65
    assert worst.rest == 1.0
    assert worst.holdout is not None
    assert (worst.holdout.value, worst.holdout.n) == (0.5, 20)
    values = [each.score.value for each in found]
    assert values == sorted(values)


def test_small_slices_and_those_of_all_documents_are_left_out() -> None:
    names = {
        each.name for each in slice_scores(HEAD, answered(400), answered(8), TEXT, 101, SETTINGS)
    }
    # 100 documents are German, and all come from one source.
    assert "language en" in names
    assert not any(name.startswith(("language de", "source", "rare")) for name in names)


def test_bounds_of_length_come_from_the_reference() -> None:
    reference = pl.DataFrame({"text": ["a" * n for n in range(1, 7)]})
    (way,) = partitions(reference, "length")
    assert way(pl.DataFrame({"text": ["a", "aaa", "a" * 100]})).to_list() == [
        "length short (at most 2 characters)",
        "length medium (up to 4 characters)",
        "length long (over 4 characters)",
    ]


def test_rare_words_are_those_few_documents_of_the_reference_have() -> None:
    common = ["the film"] * 6
    reference = pl.DataFrame({"text": [*common, "the film zyx", "the abc", "the qwe rty uio"]})
    way = by_rare_words(reference, TEXT)
    # Halves of 1/3, 1/2 and 3/4.
    assert {name: int(rows.sum()) for name, rows in parts(reference, way, 1)} == {
        "rare words none": 6,
        "rare words few (up to 50%)": 2,
        "rare words many (over 50%)": 1,
    }
    other = pl.DataFrame({"text": ["The film", "never seen here", ""]})
    assert [name.split(" (")[0] for name in way(other)] == [
        "rare words none",
        "rare words many",
        "rare words none",
    ]


@pytest.mark.parametrize("by", ["label", "source", "metadata"])
def test_what_is_not_known_is_in_no_slice(by: str) -> None:
    documents = pl.DataFrame(
        {
            "label": ["x", None],
            "source": ["one", None],
            "metadata": ['{"language": "de"}', '{"language": null}'],
        }
    )
    (way,) = partitions(documents, by)
    ((_, rows),) = parts(documents, way, 1)
    assert rows.tolist() == [True, False]


def test_documents_from_before_metadata_have_no_such_slices() -> None:
    assert partitions(pl.DataFrame({"text": ["a"]}), "metadata") == []
