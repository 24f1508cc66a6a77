from pathlib import Path

from lslm.training.parts import Part


def test_words_of_the_validation_part_stay_unknown(part: Path) -> None:
    opened = Part(part)
    assert "good" in opened.vocabulary
    assert "canary" not in opened.vocabulary


def test_the_report_says_what_was_fitted_on(part: Path) -> None:
    report = Part(part).report
    assert (report["training"]["n"], report["validation"]["n"]) == (50, 10)
    assert report["training"]["digest"] != report["validation"]["digest"]
    assert report["coverage"]["training"] == 1.0 > report["coverage"]["validation"]


def test_frequent_words_come_first(part: Path) -> None:
    assert Part(part).vocabulary.words[2] in {"a", "film", "number"}


def test_documents_come_back_as_ids(part: Path) -> None:
    opened = Part(part)
    ids = opened.training.document(1, longest=400)
    assert [opened.vocabulary.words[i] for i in ids] == ["a", "good", "film", "number", "1"]
    assert opened.targets["labels"][opened.training.targets[1]] == "pos"
