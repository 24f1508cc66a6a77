"""A part is counted, and sampled from all over it."""

import pytest

from lslm.corpus.reading import input_files
from lslm.costing.sampling import draw, written
from lslm.settings import Settings


@pytest.fixture
def settings(tmp_path):
    rows = [f"a document number {n},{'even' if n % 2 == 0 else 'odd'}" for n in range(2000)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    (tmp_path / "b.csv").write_text("text\n" + "outside text\n" * 50, encoding="utf-8")
    corpus = {"sources": [{"path": "a.csv"}], "outside": [{"path": "b.csv"}]}
    return Settings.model_validate({"name": "t", "corpus": corpus})


def test_parts_are_counted(settings, tmp_path):
    drawn = draw(settings, tmp_path)
    assert {part: each.n_documents for part, each in drawn.items()} == {
        "corpus": 2000,
        "outside": 50,
    }
    assert all(each.exact for each in drawn.values())


def test_a_sample_is_of_the_size_asked_for_and_from_all_over(settings, tmp_path):
    corpus = draw(settings, tmp_path, documents=200)["corpus"]
    assert 50 <= len(corpus.records) <= 200
    assert corpus.n_documents == 2000
    rows = [record.row for record in corpus.records]
    assert min(rows) < 300
    assert max(rows) > 1700


def test_characters_bound_a_sample_too(settings, tmp_path):
    corpus = draw(settings, tmp_path, characters=1000)["corpus"]
    assert sum(len(record.text or "") for record in corpus.records) <= 1000


def test_what_was_not_read_in_time_goes_by_bytes(settings, tmp_path):
    corpus = draw(settings, tmp_path, seconds=0.0)["corpus"]
    assert not corpus.exact
    assert corpus.n_read < 2000


def test_the_sample_is_a_corpus_of_the_same_kind(settings, tmp_path):
    drawn = draw(settings, tmp_path, documents=100)
    small = written(drawn, settings, tmp_path)
    files = list(input_files(small.corpus, tmp_path))
    assert [(file.part, file.format) for file in files] == [
        ("corpus", "jsonl"),
        ("outside", "jsonl"),
    ]
