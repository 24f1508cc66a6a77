from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm.embeddings import word2vec
from lslm.embeddings.vectors import WordVectors
from lslm.errors import InputError
from lslm.settings import EmbeddingSettings, TextSettings
from lslm.text import store

SETTINGS = EmbeddingSettings(size=8, min_count=1, epochs=2, adapt_epochs=1, sample=1.0)
WORDS = TextSettings()


def tokens_of(texts: list[str], folder: Path, settings: TextSettings = WORDS) -> store.Tokens:
    folder.mkdir()
    pl.DataFrame({"text": texts}).write_parquet(folder / "documents.parquet")
    store.write(folder / "documents.parquet", settings, folder / "tokens")
    return store.Tokens(folder / "tokens")


@pytest.fixture
def tokens(tmp_path: Path) -> store.Tokens:
    return tokens_of(["the cat sat", "the dog sat", "a bird flew"] * 5, tmp_path / "one")


def test_one_worker_gives_the_same_bits(tokens: store.Tokens) -> None:
    rows = np.arange(len(tokens))
    first, second = (word2vec.pretrain(tokens, rows, SETTINGS, workers=1) for _ in range(2))
    assert np.array_equal(first.vectors, second.vectors)


def test_words_of_other_rows_get_no_vector(tokens: store.Tokens) -> None:
    vectors = word2vec.pretrain(tokens, np.array([0, 1]), SETTINGS, workers=1)
    assert "bird" not in vectors.words


def test_going_on_keeps_old_words_and_adds_new_ones(tokens: store.Tokens, tmp_path: Path) -> None:
    base = word2vec.pretrain(tokens, np.arange(len(tokens)), SETTINGS, workers=1)
    new = tokens_of(["the fish swam"], tmp_path / "two")
    adapted = word2vec.adapt(base, new, np.arange(1), SETTINGS)
    assert {"fish", "bird"} <= set(adapted.words)


def test_going_on_without_passes_changes_no_vector(tokens: store.Tokens, tmp_path: Path) -> None:
    base = word2vec.pretrain(tokens, np.arange(len(tokens)), SETTINGS, workers=1)
    none = SETTINGS.model_copy(update={"adapt_epochs": 0})
    same = word2vec.adapt(base, tokens, np.arange(len(tokens)), none)
    for word in base.words:
        assert np.array_equal(
            base.vectors[base.words.index(word)], same.vectors[list(same.words).index(word)]
        )


def test_vectors_survive_saving(tokens: store.Tokens, tmp_path: Path) -> None:
    vectors = word2vec.pretrain(tokens, np.arange(3), SETTINGS, workers=1)
    vectors.save(tmp_path / "kept")
    loaded = WordVectors.load(tmp_path / "kept")
    assert loaded.words == vectors.words
    assert np.array_equal(loaded.outputs, vectors.outputs)


def test_white_space_that_is_a_token_is_learned_from(tmp_path: Path) -> None:
    characters = TextSettings(tokenizer="all-characters")
    tokens = tokens_of(["a cat\nsat", "a\u00a0dog\tran"] * 20, tmp_path / "one", characters)
    rows = np.arange(len(tokens))
    once, twice = (
        word2vec.pretrain(tokens, rows, SETTINGS.model_copy(update={"epochs": n}), workers=1)
        for n in (1, 2)
    )
    still = SETTINGS.model_copy(update={"adapt_epochs": 0})
    adapted = word2vec.adapt(twice, tokens, rows, still)
    for blank in (" ", "\n", "\t", "\u00a0"):
        before, after, kept = (
            each.vectors[each.words.index(blank)] for each in (once, twice, adapted)
        )
        assert not np.array_equal(before, after), repr(blank)
        assert np.array_equal(after, kept)


def test_no_frequent_word_is_an_error(tokens: store.Tokens) -> None:
    settings = EmbeddingSettings(min_count=1000)
    with pytest.raises(InputError, match="min_count"):
        word2vec.pretrain(tokens, np.arange(3), settings, workers=1)
