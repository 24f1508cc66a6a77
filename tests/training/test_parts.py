import json
import shutil
from pathlib import Path

import numpy as np

from lslm.settings import EncoderSettings
from lslm.text.vocabulary import MARK
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


def test_words_of_the_training_rows_are_counted(part: Path) -> None:
    opened = Part(part)
    counts = dict(zip(opened.vocabulary.words, opened.counts().tolist(), strict=True))
    assert (counts["a"], counts["good"] + counts["bad"], counts["1"]) == (50, 50, 10)


def with_vectors(part: Path, into: Path, *, marked: bool = False) -> Path:
    """The part with vectors that tell the words apart, and a mark at the end of its words if it is to be."""
    shutil.copytree(part, into)
    words = json.loads((into / "vocabulary.json").read_text("utf-8")) + [MARK] * marked
    (into / "vocabulary.json").write_text(json.dumps(words), "utf-8")
    vectors = np.random.default_rng(0).normal(size=(len(words), 8)).astype(np.float32)
    np.save(into / "vectors.npy", vectors)
    return into


def test_only_the_first_words_are_known_and_have_vectors(part: Path, tmp_path: Path) -> None:
    folder = with_vectors(part, tmp_path / "part")
    whole, small = Part(folder), Part(folder, EncoderSettings(max_words=3))
    assert small.vocabulary.words == whole.vocabulary.words[:5]
    np.testing.assert_array_equal(small.vectors, whole.vectors[:5])
    ids, all_ids = (each.training.document(1, longest=400) for each in (small, whole))
    assert ids.tolist() == [i if i < 5 else 1 for i in all_ids.tolist()]
    assert 1 in ids.tolist()


def test_the_mark_between_sentences_is_kept_with_its_vector(part: Path, tmp_path: Path) -> None:
    folder = with_vectors(part, tmp_path / "part", marked=True)
    whole, small = Part(folder), Part(folder, EncoderSettings(max_words=2))
    assert small.vocabulary.mark == 4
    np.testing.assert_array_equal(small.vectors[4], whole.vectors[whole.vocabulary.mark])


def test_more_words_than_there_are_change_nothing(part: Path) -> None:
    whole, small = Part(part), Part(part, EncoderSettings(max_words=10_000))
    assert small.vocabulary.words == whole.vocabulary.words
    assert np.array_equal(small.training.flat, whole.training.flat)


def test_pretrained_vectors_are_projected_and_others_have_the_units(
    part: Path, tmp_path: Path
) -> None:
    folder = with_vectors(part, tmp_path / "part")
    small = Part(folder, EncoderSettings(vector_units=3))
    assert (small.units, small.vectors.shape[1]) == (3, 3)
    assert Part(folder, EncoderSettings(vector_units=99)).units == 8
    assert Part(part, EncoderSettings(vector_units=99)).units == 99
