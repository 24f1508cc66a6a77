import json
from typing import Any

import polars as pl
import pytest

from lslm.errors import InputError
from lslm.heads.summarize.head import HEAD
from lslm.heads.summarize.options import Options

TEXT = "We meet on Monday. The red fox runs far. Nothing else is new."


def truth(text: str = TEXT, options: dict[str, Any] | None = None, **extras: Any) -> dict[str, Any]:
    documents = pl.DataFrame(
        {"text": [text], "extras": [json.dumps(extras)], "source": ["a.csv"], "row": [7]}
    )
    given = Options.model_validate(options or {})
    return HEAD.encode_targets(documents, HEAD.fit_targets(documents, given))[0]


def test_the_sentence_nearest_to_the_summary_is_labelled() -> None:
    found = truth(summary="a red fox runs")
    assert found["labels"] == [0, 1, 0]
    assert max(found["gains"]) == found["gains"][1]


def test_one_of_several_summaries_is_enough() -> None:
    assert truth(summary=["unlike all", "we meet Monday"])["labels"] == [1, 0, 0]


def test_sentences_are_added_until_nothing_gets_better() -> None:
    found = truth(options={"n_sentences": 3}, summary="we meet on Monday nothing else is new")
    assert found["labels"] == [1, 0, 1]


@pytest.mark.parametrize(
    ("words", "labels"), [(4, [1, 0, 0]), (8, [0, 1, 0]), (9, [1, 1, 0]), (1, [0, 1, 0])]
)
def test_labels_name_no_sentence_that_a_summary_has_no_room_for(
    words: int, labels: list[int]
) -> None:
    options = {"n_sentences": None, "words": words}
    told = "we meet on Monday, the red fox runs so far, nothing else is new"
    found = truth(options=options, summary=told)
    lengths = [len(each.split()) for each in found["sentences"]]
    assert found["labels"] == labels
    assert sum(n for n, label in zip(lengths, labels, strict=True) if label) <= max(words, 5)


def test_without_a_summary_as_many_are_labelled_as_a_summary_has_room_for() -> None:
    text = "Cats eat fish. Cats eat fish and sleep. Dogs sleep. Dogs eat cats and fish."
    found = truth(text, {"n_sentences": None, "words": 9, "max_overlap": 1.0})
    assert sum(found["labels"]) == 2


def test_labels_that_were_given_are_kept() -> None:
    assert truth(summary="a red fox runs", sentence_labels=[0, 0, 1])["labels"] == [0, 0, 1]


def test_without_a_summary_the_sentence_that_stands_for_the_rest_is_labelled() -> None:
    found = truth("Cats sleep. Cats eat fish and sleep. Dogs eat fish.")
    assert found["labels"] == [0, 1, 0]
    assert found["references"] == ["Cats sleep.\nCats eat fish and sleep.\nDogs eat fish."]


def test_a_title_is_never_what_should_be_chosen() -> None:
    found = truth("Red fox runs\nA red fox runs far.", {"title": True}, summary="Red fox runs")
    assert (found["labels"], found["gains"][0]) == ([0, 1], 0.0)


def test_lines_are_sentences_where_the_options_say_so() -> None:
    assert truth("One. Two.\nThree", {"split": "lines"})["sentences"] == ["One. Two.", "Three"]


@pytest.mark.parametrize(
    ("extras", "said"),
    [
        ({"summary": 3}, "the summary '3' is no text"),
        ({"sentence_labels": [1]}, "a.csv, row 7: 1 labels for 3 sentences"),
        ({"sentence_labels": [1, 2, 0]}, "3 labels for 3 sentences"),
        ({"sentence_labels": "1"}, "'1' for 3 sentences"),
    ],
)
def test_what_is_broken_is_told(extras: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        truth(**extras)


def test_documents_with_and_without_a_summary_do_not_go_together() -> None:
    documents = pl.DataFrame({"text": ["a", "b"], "extras": [json.dumps({"summary": "a"}), None]})
    with pytest.raises(InputError, match="1 of 2 documents have no summary"):
        HEAD.fit_targets(documents, Options())


@pytest.mark.parametrize(("language", "right"), [("en", False), ("ru", True)])
def test_a_language_whose_letters_are_not_compared_is_refused(language: str, right: bool) -> None:
    texts = [f"Лиса номер {n} бежит далеко. Больше ничего нового." for n in range(5)]
    documents = pl.DataFrame({"text": texts})
    if right:
        assert HEAD.fit_targets(documents, Options(language=language))
        return
    with pytest.raises(InputError, match="of 40 words 5 can be compared"):
        HEAD.fit_targets(documents, Options(language=language))
