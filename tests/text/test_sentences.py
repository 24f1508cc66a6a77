import pytest

from lslm.text.sentences import splitter


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("en", "Dr. Smith came. He left, cf. Fig. 3.", ["Dr. Smith came.", "He left, cf. Fig. 3."]),
        ("zh", "这是第一句。这是第二句！很好？", ["这是第一句。", "这是第二句！", "很好？"]),
        ("de", "Das gilt z. B. hier. Und dort.", ["Das gilt z. B. hier.", "Und dort."]),
        ("en", "a heading\nand text", ["a heading", "and text"]),
        ("en", " \n", []),
    ],
)
def test_sentences_of_many_languages(language: str, text: str, sentences: list[str]) -> None:
    assert splitter("sentences", language)(text) == sentences


def test_text_without_full_stops_is_cut_at_spaces() -> None:
    text = "word " * 400
    pieces = splitter("sentences", "en")(text)
    assert " ".join(pieces) == text.strip()
    assert len(pieces) == 4
    assert max(map(len, pieces)) <= 600


def test_without_spaces_it_is_cut_anywhere() -> None:
    assert "".join(splitter("sentences", "en")("x" * 1500)) == "x" * 1500
