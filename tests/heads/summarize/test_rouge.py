import pytest

from lslm.heads.summarize.rouge import (
    against_the_rest,
    best,
    best_grams,
    grams,
    rouge,
    tokens,
)


def test_the_example_of_the_paper() -> None:
    """Lin 2004, section 3: S2 keeps the order of the reference, S3 does not."""
    reference = "police killed the gunman"
    one, two, longest = rouge("police kill the gunman", reference, "fr")
    assert (one, longest) == (0.75, 0.75)
    assert two == pytest.approx(1 / 3)
    assert rouge("the gunman kill police", reference, "fr")[2] == 0.5


def test_english_words_are_compared_by_their_stems() -> None:
    assert rouge("the kills", "the killing", "en")[0] == 1.0
    assert rouge("the kills", "the killing", "de")[0] == 0.5


def test_our_words_are_those_of_the_reference_implementation() -> None:
    from nltk.stem.porter import PorterStemmer
    from rouge_score.tokenize import tokenize

    text = "It's Q-learning's 2nd variation, naïvely (re)running U.S. agents."
    assert tokens(text, "en") == tokenize(text, PorterStemmer())


def test_other_scripts_are_compared_too() -> None:
    assert rouge("很好看", "很好看", "zh")[0] == 1.0
    assert 0 < rouge("很好看", "不好看", "zh")[0] < 1


def test_all_three_come_from_the_reference_with_the_best_first_one() -> None:
    references = ("a b c d", "b a")
    assert best("a b", references, "fr") == rouge("a b", "b a", "fr")
    assert best("a b", references, "fr")[1] == 0.0


def test_the_first_two_are_those_of_all_three() -> None:
    references = ("a b c d", "b a", "c a b")
    assert best_grams("a b", references, "fr") == best("a b", references, "fr")[:2]


@pytest.mark.parametrize("language", ["en", "el"])
@pytest.mark.parametrize(
    "sentences",
    [
        ["The cats sat.", "A cat, a cat sat; the cat!", "Dogs ran.", "The cats sat."],
        ["Ο ΣΟΦΟΣ.", "Ο σοφός, ο ΣΟΦΟΣ", "...", "Σ"],
        ["Alone."],
        [],
    ],
)
def test_a_sentence_is_held_against_all_others_as_one_text(
    sentences: list[str], language: str
) -> None:
    rest = (" ".join(sentences[:i] + sentences[i + 1 :]) for i in range(len(sentences)))
    plain = [rouge(each, other, language)[0] for each, other in zip(sentences, rest, strict=True)]
    assert against_the_rest(sentences, language) == plain


def test_a_long_document_leaves_no_copies_of_it() -> None:
    before = grams.cache_info().currsize
    assert len(against_the_rest([f"word {i} and {i % 7}" for i in range(2000)], "en")) == 2000
    assert grams.cache_info().currsize == before
