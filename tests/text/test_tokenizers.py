"""Text becomes the words that its readers see, in scripts with and without spaces."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lslm.settings import TextSettings
from lslm.text.tokenizers import is_unspaced, tokenizer, words


@pytest.mark.parametrize(
    "tokens",
    [
        ["हिन्दी", "में", "क्\u200dषमा", "।"],
        ["র\u200d্যাব", "এবং", "বাংলা"],
        ["שָׁלוֹם", "עוֹלָם", "!"],
        ["مُحَمَّد", "می\u200cخواهم"],
        ["ɔ\u0303", "x\u0301y'z\u0323", "½"],
        ["ends", "\u200c", "here"],
        ["\u0301", "alone"],
    ],
)
def test_marks_and_joiners_tear_no_word(tokens: list[str]) -> None:
    assert words(" ".join(tokens)) == tokens


@pytest.mark.parametrize(
    "tokens", [["ที่", "นี่", "ดี"], ["ຂ້", "າ"], ["か\u3099", "く"], ["葛\U000e0100", "城"]]
)
def test_characters_of_scripts_without_spaces_keep_their_marks(tokens: list[str]) -> None:
    assert words("".join(tokens)) == tokens
    assert all(is_unspaced(token) for token in tokens)


def test_a_letter_that_gets_a_mark_as_a_small_one_stays_whole() -> None:
    assert tokenizer(TextSettings())("İstanbul'da") == ["i̇stanbul'da"]


def test_every_mark_stays_on_its_letter() -> None:
    signs = map(chr, range(sys.maxunicode + 1))
    marks = [sign for sign in signs if unicodedata.category(sign).startswith("M")]
    assert len(marks) > 2000
    assert [mark for mark in marks if words(f"a{mark}b") != [f"a{mark}b"]] == []


@given(st.text())
def test_no_sign_is_lost(text: str) -> None:
    assert "".join(words(text)) == "".join(text.split())
