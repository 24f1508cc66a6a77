"""ROUGE (Lin 2004) by the package rouge-score; words of other scripts than Latin are compared too."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache

from lslm.text.tokenizers import words

Rouge = tuple[float, float, float]
"""F of ROUGE-1, ROUGE-2 and ROUGE-L, from 0 to 1."""
Grams = tuple[float, float]
"""F of ROUGE-1 and ROUGE-2."""

_LATIN_WORD = re.compile(r"[^a-z0-9]+")
_STEMMED_LENGTH = 4


class _Words:
    """Tokens that ROUGE compares.

    English as the reference implementation has it: letters and digits, Porter's stems of words of four
    and more. Other languages: words as the tokenizer `words` finds them, without a stem.
    """

    def __init__(self, language: str) -> None:
        self._english = language == "en"

    def tokenize(self, text: str) -> list[str]:
        """Words of a text, in order."""
        if self._english:
            return [_stem(word) for word in _LATIN_WORD.sub(" ", text.lower()).split()]
        return [word for word in words(text.lower()) if word[0].isalnum()]


@lru_cache(maxsize=1 << 17)
def _stem(word: str) -> str:
    return _porter().stem(word) if len(word) >= _STEMMED_LENGTH else word


@cache
def _porter():  # noqa: ANN202
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


@cache
def _scorer(language: str, *kinds: str):  # noqa: ANN202
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(kinds), tokenizer=_Words(language))


@lru_cache(maxsize=1 << 17)
def rouge(summary: str, reference: str, language: str) -> Rouge:
    """F of a summary against one reference.

    Example:
        >>> rouge("the cat sat", "the cat ran", "en")[:2]
        (0.6666666666666666, 0.5)
    """
    found = _scorer(language, "rougeL").score(reference, summary)
    return *grams(summary, reference, language), float(found["rougeL"].fmeasure)


@lru_cache(maxsize=1 << 17)
def grams(summary: str, reference: str, language: str) -> Grams:
    """The first two of `rouge`; most of the time goes into the third."""
    found = _scorer(language, "rouge1", "rouge2").score(reference, summary)
    return float(found["rouge1"].fmeasure), float(found["rouge2"].fmeasure)


def best(summary: str, references: tuple[str, ...], language: str) -> Rouge:
    """All three of the reference with the best ROUGE-1 (the rule of SciTLDR, Cachola et al. 2020)."""
    return max((rouge(summary, each, language) for each in references), key=lambda found: found[0])


def best_grams(summary: str, references: tuple[str, ...], language: str) -> Grams:
    """The first two of `best`."""
    return max((grams(summary, each, language) for each in references), key=lambda found: found[0])


def against_the_rest(sentences: Sequence[str], language: str) -> list[float]:
    """F of ROUGE-1 of each sentence against all others together; words are counted once.

    Example:
        >>> against_the_rest(["the cat sat", "the cat ran", "dogs"], "en")
        [0.5714285714285715, 0.5714285714285715, 0.0]
    """
    from rouge_score.scoring import fmeasure

    each = [Counter(tokens(sentence, language)) for sentence in sentences]
    whole = Counter[str]()
    for own in each:
        whole.update(own)
    n_words, scores = whole.total(), list[float]()
    for own in each:
        n_own = own.total()
        shared = sum(min(n, whole[word] - n) for word, n in own.items())
        scores.append(fmeasure(shared / max(n_own, 1), shared / max(n_words - n_own, 1)))
    return scores


def tokens(text: str, language: str) -> list[str]:
    """Words as ROUGE compares them."""
    return _Words(language).tokenize(text)
