"""A model is asked again with words left out, or others in their place."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm.serving.predictor import Predictor
from lslm.serving.probing import explain, swapped
from lslm.settings import Hyperparameters
from tests.serving.networks import SHAKEN, write

TEXTS = ["a good film", "not a bad film", ""]


@pytest.fixture(scope="module")
def predictor(made: tuple[Path, object]) -> Predictor:
    return Predictor.load(made[0])


def test_an_effect_is_what_leaving_the_word_out_takes_from_the_answer(
    predictor: Predictor,
) -> None:
    ((a, good, film),) = predictor.effects(["a good film"])
    whole, without = predictor.outputs(["a good film", "a film"])
    best = whole.argmax()
    assert good == ("good", pytest.approx(whole[best] - without[best], abs=1e-6))
    assert (a[0], film[0]) == ("a", "film")
    assert predictor.effects([""]) == [[]]


def test_each_document_is_told_with_its_answer_and_its_words(predictor: Predictor) -> None:
    documents = pl.DataFrame(
        {"text": TEXTS, "label": ["pos", "neg", "neg"], "source": ["a"] * 3, "row": [1, 2, 3]}
    )
    found = {each.row: each for each in explain(predictor, documents, n=9, seed=0)}
    assert set(found) == {1, 2, 3}
    assert found[1].said == predictor.predict(TEXTS[:1])[0]["label"]
    assert [word for word, _ in found[2].effects] == ["not", "a", "bad", "film"]
    assert len(found[2].attention) == 4
    assert found[3].effects == ()
    assert len(explain(predictor, documents, n=2, seed=0)) == 2


def test_a_network_without_attention_is_explained_all_the_same(tmp_path: Path) -> None:
    pooled = SHAKEN.model_copy(update={"pooling": "max"})
    write(tmp_path / "max", Hyperparameters(encoder=pooled))
    predictor = Predictor.load(tmp_path / "max")
    documents = pl.DataFrame({"text": TEXTS[:1], "label": ["pos"], "source": ["a"], "row": [1]})
    (found,) = explain(predictor, documents, n=1, seed=0)
    assert found.attention == ()
    assert len(found.effects) == 3


def test_both_directions_of_a_list_are_asked(predictor: Predictor) -> None:
    one, two = swapped(predictor, TEXTS, [("good", "bad")])
    assert (one.word, one.other, len(one.before)) == ("good", "bad", 1)
    assert (two.word, two.other, len(two.before)) == ("bad", "good", 1)
    expected = predictor.outputs(["a good film", "a bad film"])
    np.testing.assert_allclose([one.before[0], one.after[0]], expected, atol=1e-6)
    assert one.labels == ("neg", "pos")
