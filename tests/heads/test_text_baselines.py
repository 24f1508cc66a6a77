import re

import numpy as np
import polars as pl
import pytest

from lslm.heads.classify import surprise
from lslm.heads.text_baselines import _WORD, BASELINES, _Characters, majority
from lslm.text.tokenizers import words

TEXTS = ["A red  rose, a rose.", "the blue sea", "a\tsea of red", "x", "Über den  Fluß"]


def test_characters_are_those_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    reference = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    ours = _Characters()
    known, asked = ours.fit_transform(TEXTS[:3]), ours.transform(TEXTS[2:])
    for ours, theirs in (
        (known, reference.fit_transform(TEXTS[:3])),
        (asked, reference.transform(TEXTS[2:])),
    ):
        assert ours.shape == theirs.shape
        # The columns stand in the same order: both sort their features.
        assert np.allclose(ours.toarray(), theirs.toarray(), atol=1e-6)


def test_the_majority_answers_the_shares_of_the_training_documents() -> None:
    training = pl.DataFrame({"text": TEXTS[:4], "label": ["b", "b", "a", "b"]})
    outputs = majority(training, training[:2], {"labels": ["a", "b"]}, 0)
    assert outputs.tolist() == [[0.25, 0.75]] * 2
    # The cross-entropy of the label's distribution with itself, over all four documents.
    truth = np.array([1, 1, 0, 1])
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert surprise(truth, np.repeat(outputs[:1], 4, axis=0)).mean() == pytest.approx(entropy)


@pytest.mark.parametrize("name", ["tfidf-logistic-regression", "word-char-svc"])
@pytest.mark.parametrize("labels", [["no", "yes"], ["maybe", "no", "yes"]])
def test_linear_baselines_learn_the_deciding_word(name: str, labels: list[str]) -> None:
    rows = [(f"film {i} is {label}", label) for i in range(12) for label in labels]
    training = pl.DataFrame(rows, schema=["text", "label"], orient="row")
    asked = pl.DataFrame({"text": [f"this one is {label}" for label in reversed(labels)]})
    outputs = BASELINES[name](training, asked, {"labels": labels}, 0)
    assert outputs.argmax(axis=1).tolist() == list(reversed(range(len(labels))))
    assert np.allclose(outputs.sum(axis=1), 1)


def test_chinese_is_read_without_spaces() -> None:
    training = pl.DataFrame(
        {
            "text": ["质量很好", "很好用", "质量很差", "太差了"] * 5,
            "label": ["好", "好", "差", "差"] * 5,
        }
    )
    asked = pl.DataFrame({"text": ["真的好", "真的差"]})
    outputs = BASELINES["tfidf-logistic-regression"](training, asked, {"labels": ["好", "差"]}, 0)
    assert outputs.argmax(axis=1).tolist() == [0, 1]


def test_words_that_differ_by_a_vowel_sign_are_two() -> None:
    labels = {"मिला": "got", "मेला": "fair"}
    training = pl.DataFrame({"text": list(labels) * 6, "label": list(labels.values()) * 6})
    targets = {"labels": ["fair", "got"]}
    outputs = BASELINES["tfidf-logistic-regression"](training, training[:2], targets, 0)
    assert outputs.argmax(axis=1).tolist() == [1, 0]


@pytest.mark.parametrize("text", ["हिन्दी में क्\u200dषमा", "ที่นี่ดี 𠀀𠀁 很好", "a\u0303_1 ɔ\u0303"])
def test_words_are_those_of_the_tokenizer(text: str) -> None:
    assert re.findall(_WORD, text) == words(text)
