"""Tokens become text as people write it."""

import pytest

from lslm.text.joining import Joiner
from lslm.text.tokenizers import characters, words


@pytest.mark.parametrize(
    "text",
    [
        "It was late, and (so he said) cold.",
        'She said "come in", and left.',
        "What? No! 50% of it: all;",
        "很好, 很好",
        "很好，我们走吧。他说：“好！”",
        "これは、本です。「はい」",
        "यह अच्छा है। ठीक",
        "كيف حالك؟ بخير، شكرا",
        "3.5 of 1,000, and 1, 2, 3.",
        "so in 2020, 300 came. That was in 1999. 12 years later",
        "one\ntwo",
    ],
)
def test_words_get_the_spaces_they_had(text: str) -> None:
    tokens = [token for line in text.split("\n") for token in ["<s>", *words(line)]][1:]
    assert "".join(map(Joiner("words"), tokens)) == text


def test_characters_are_put_together_as_they_are() -> None:
    assert "".join(map(Joiner("characters"), characters("ab c"))) == "abc"
    assert "".join(map(Joiner("all-characters"), "ab c")) == "ab c"


def test_signs_of_pieces_are_taken_away_where_there_are_pieces_alone() -> None:
    assert "".join(map(Joiner("words", in_pieces=True), ["un", "##able"])) == "unable"
    assert "".join(map(Joiner("chinese"), ["很", "##", "##好"])) == "很####好"


def test_a_text_goes_on_from_its_prompt() -> None:
    for before, text in (("came", " home"), ("(", "home")):
        join = Joiner("words")
        join(before)
        assert join("home") == text


def test_a_quotation_ends_with_its_line() -> None:
    tokens = ["he", "said", '"', "yes", "<s>", '"', "no", '"', "he", "said"]
    assert "".join(map(Joiner("words"), tokens)) == 'he said "yes\n"no" he said'
