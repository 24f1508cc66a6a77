"""Words in pieces: learned alike whatever the order, cut as the library cuts them, and put together again."""

import builtins
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from lslm.errors import InputError
from lslm.settings import TextSettings
from lslm.text import store
from lslm.text.joining import Joiner
from lslm.text.pieces import INSIDE, cutter, learned
from lslm.text.vocabulary import MARK

COUNTS = {"low": 5, "lower": 2, "newest": 6, "widest": 3, MARK: 90}
"""The example of Sennrich et al. 2016, algorithm 1: its first merges make `est`, and `low`."""
UNKNOWN = "<unk>"


def test_pieces_are_those_of_the_paper() -> None:
    signs = set("".join(word for word in COUNTS if word != MARK))
    characters = signs | {f"##{sign}" for sign in signs - set("ln")}
    known = set(learned(COUNTS, len(characters) + 4))
    assert known - characters == {"##es", "##est", "lo", "low"}


def test_the_order_of_the_words_changes_nothing() -> None:
    backwards = dict(reversed(COUNTS.items()))
    assert learned(COUNTS, 30) == learned(backwards, 30)
    assert len(learned(COUNTS, 30)) <= 30


def test_pairs_that_stand_as_often_are_joined_alike_every_time() -> None:
    drawn = random.Random(0)
    words = ("".join(drawn.choices("abcdefgh", k=drawn.randint(2, 8))) for _ in range(500))
    counts = {word: drawn.randint(1, 3) for word in words}
    (pieces,) = {learned(counts, 200) for _ in range(12)}
    assert len(pieces) == 200


WORD = st.text("abcé很", min_size=1, max_size=12)


@given(words=st.lists(WORD, min_size=1, max_size=20), n_pieces=st.integers(1, 60), other=WORD)
def test_words_are_cut_as_the_library_cuts_them_and_nothing_is_lost(
    words: list[str], n_pieces: int, other: str
) -> None:
    pieces = learned(dict.fromkeys(words, 3), n_pieces)
    theirs = Tokenizer(
        models.WordPiece({p: i for i, p in enumerate((*pieces, UNKNOWN))}, unk_token=UNKNOWN)
    )
    cut = cutter(pieces)
    for word in words:
        assert list(cut(word)) == theirs.encode(word).tokens
        assert set(cut(word)) <= set(pieces)
    assert "".join(map(Joiner("words", in_pieces=True), cut(other))) == other


def test_the_mark_stays_whole() -> None:
    assert cutter(["<", "##s"])(MARK) == (MARK,)


def test_a_store_in_pieces_has_the_documents_and_their_counts(tmp_path: Path) -> None:
    texts = pl.DataFrame({"text": ["lower low", "", "slow lower lower"]})
    texts.write_parquet(tmp_path / "documents.parquet")
    store.write(tmp_path / "documents.parquet", TextSettings(), tmp_path / "tokens")
    whole = store.Tokens(tmp_path / "tokens")
    tokens = store.InPieces(whole, cutter(["low", "##low", "##er", "s"]))
    said = [[tokens.types[i] for i in tokens.document(row)] for row in range(len(tokens))]
    assert said == [["low", "##er", "low"], [], ["s", "##low", *["low", "##er"] * 2]]
    counts = dict(zip(tokens.types, tokens.counts(np.array([2])).tolist(), strict=True))
    assert counts == {"low": 2, "##er": 2, "s": 1, "##low": 1}


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "tokenizers":
            raise ModuleNotFoundError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="subwords need the package tokenizers"):
        learned(COUNTS, 30)


def test_a_piece_inside_a_word_is_marked_by_what_no_word_is() -> None:
    from lslm.text.tokenizers import words

    assert INSIDE not in words(f"a {INSIDE} {INSIDE}b")
