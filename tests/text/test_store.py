from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm.settings import TextSettings
from lslm.text import store
from lslm.text.tokenizers import tokenizer
from lslm.text.vocabulary import Vocabulary, cut


@pytest.fixture
def tokens(tmp_path: Path) -> store.Tokens:
    pl.DataFrame({"text": ["a b a", "", "c a"]}).write_parquet(tmp_path / "documents.parquet")
    store.write(tmp_path / "documents.parquet", TextSettings(), tmp_path / "tokens")
    return store.Tokens(tmp_path / "tokens")


def test_each_document_comes_back(tokens: store.Tokens) -> None:
    texts = [[tokens.types[i] for i in tokens.document(row)] for row in range(len(tokens))]
    assert texts == [["a", "b", "a"], [], ["c", "a"]]


def test_counts_are_of_the_rows_asked_for(tokens: store.Tokens) -> None:
    counts = tokens.counts(np.array([2]))
    assert dict(zip(tokens.types, counts.tolist(), strict=True)) == {"a": 1, "b": 0, "c": 1}


def test_lines_are_cut_to_the_longest(tokens: store.Tokens) -> None:
    assert list(tokens.lines(np.array([0, 2]), longest=2)) == ["a b", "a", "c a"]


def test_white_space_comes_back_from_a_line(tmp_path: Path) -> None:
    text = "a\u00a0 b\n\x1f\u2028\r"
    pl.DataFrame({"text": [text]}).write_parquet(tmp_path / "documents.parquet")
    characters = TextSettings(tokenizer="all-characters")
    store.write(tmp_path / "documents.parquet", characters, tmp_path / "tokens")
    (line,) = store.Tokens(tmp_path / "tokens").lines(np.array([0]), longest=99)
    assert [store.from_line(word) for word in line.split(" ")] == list(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Isn't it?", ["isn't", "it", "?"]),
        ("很好 OK", ["很", "好", "ok"]),
        ("caf\u00e9 l’eau", ["caf\u00e9", "l’eau"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert tokenizer(TextSettings())(text) == expected


def test_a_vocabulary_survives_saving(tmp_path: Path) -> None:
    Vocabulary(("<pad>", "<unk>", "\u00e9t\u00e9")).save(tmp_path / "v.json")
    assert Vocabulary.load(tmp_path / "v.json").encode(["\u00e9t\u00e9", "x"]).tolist() == [2, 1]


def test_a_long_document_keeps_its_two_ends() -> None:
    assert cut(np.arange(9, dtype=np.int32), 5).tolist() == [0, 1, 2, 7, 8]
