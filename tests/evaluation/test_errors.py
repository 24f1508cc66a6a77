from dataclasses import replace

import numpy as np
import polars as pl

from lslm import heads
from lslm.evaluation.answers import Answers
from lslm.evaluation.errors import errors
from tests.evaluation.made import answers, documents

HEAD = heads.get("classify")


def test_counts_confusions_and_the_surest_errors_are_those_of_the_answers() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    outputs = np.array(
        [
            [0.8, 0.1, 0.1],
            [0.3, 0.6, 0.1],
            [0.05, 0.9, 0.05],
            [0.1, 0.8, 0.1],
            [0.2, 0.1, 0.7],
            [0.1, 0.1, 0.8],
        ]
    )
    given = Answers(truth, {"network": outputs}, {"labels": ["a", "b", "c"]}, {})
    found = errors(HEAD, given, documents(given))
    assert found is not None
    assert (found.n, found.n_wrong) == (6, 3)
    assert found.matrix == ((1, 2, 0), (0, 1, 1), (0, 0, 1))
    assert [(each.given, each.said, each.n) for each in found.confusions] == [
        ("a", "b", 2),
        ("b", "c", 1),
    ]
    assert [(each.row, each.said_probability) for each in found.confident] == [
        (3, 0.9),
        (5, 0.7),
        (2, 0.6),
    ]
    surest = found.confident[0]
    assert (surest.given, surest.given_probability, surest.said) == ("a", 0.05, "b")


def test_planted_label_errors_are_named_with_the_place_they_stand_at() -> None:
    truth = np.arange(300) % 3
    sure = 0.04 + 0.88 * np.eye(3)[truth]
    planted = [5, 100, 222]
    given = truth.copy()
    given[planted] = (truth[planted] + 1) % 3
    told = Answers(given, {"network": sure}, {"labels": ["a", "b", "c"]}, {})
    found = errors(HEAD, told, documents(told))
    assert found is not None
    assert {each.row - 1 for each in found.suspects} == set(planted)
    assert found.n_suspects == 3


def test_texts_are_cut_and_lists_are_short() -> None:
    given = answers(500, 1.0)
    long = documents(given).with_columns(pl.lit("s" * 500).alias("text"))
    found = errors(HEAD, given, long)
    assert found is not None
    assert len(found.confident) == len(found.suspects) == 10 < found.n_wrong
    assert {len(each.text) for each in (*found.confident, *found.suspects)} == {80}


def test_a_matrix_of_many_labels_is_left_out() -> None:
    found = errors(
        HEAD,
        many := answers(300, 1.0, labels=tuple("abcdefghijklmnopqrstuvwxyzäöüßé")),
        documents(many),
    )
    assert found is not None
    assert (found.labels, found.matrix) == ((), ())
    assert len(found.confusions) == 20


def test_answers_without_classes_have_no_such_errors() -> None:
    given = answers(10, 1.0)
    assert errors(replace(HEAD, classes=None), given, documents(given)) is None
