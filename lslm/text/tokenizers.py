"""How a document becomes tokens."""

import re
import unicodedata
from collections.abc import Callable

from lslm.errors import InputError
from lslm.settings import TextSettings
from lslm.text.sentences import Sentences
from lslm.text.vocabulary import MARK

# Scripts written without spaces between words; each character is a token.
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3040-\u30ff"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)


def _marks(*parts: tuple[int, int]) -> str:
    """The marks in these parts of Unicode, as the inside of a character class."""
    codes = [code for first, end in parts for code in range(first, end)]
    marks = {code for code in codes if unicodedata.category(chr(code))[0] == "M"}
    firsts = (chr(code) for code in sorted(marks) if code - 1 not in marks)
    lasts = (chr(code) for code in sorted(marks) if code + 1 not in marks)
    return "".join(f"{first}-{last}" for first, last in zip(firsts, lasts, strict=True))


# Signs that belong to the letter before. The rest of Unicode has none: Han, Hangul, private use.
_MARKS = _marks((0x300, 0x3100), (0xA66F, 0xABEE), (0xFB1E, 0xFE30), (0xE0100, 0xE01F0))
_RARE_MARKS = _marks((0x101FD, 0x11FFF), (0x16AF0, 0x16FF2), (0x1BC9D, 0x1E94B))
_LETTER = rf"[^\W{_UNSPACED}]"
_MARK = f"[{_MARKS}{_RARE_MARKS}]"
_JOINER = "[\u200c\u200d]"
# Marks and joiners are asked for only beyond the Latin letters: most words end at a space.
WORD = rf"{_LETTER}+(?:(?![\x00-\u02ff])(?:{_JOINER}?{_MARK}+{_LETTER}*|{_JOINER}{_LETTER}+))*"
"""Letters, digits and low lines with their marks: vowel signs, points, accents. Joiners stand inside alone."""
# The many ranges of rare marks would halve the speed here, and belong to other scripts.
CHARACTER = f"[{_UNSPACED}][{_MARKS}]*"
"""A character of a script without spaces, with its marks."""
_TOKEN = re.compile(rf"{WORD}(?:['’]{WORD})*|{CHARACTER}|[^\s\w]")
_ONE_UNSPACED = re.compile(CHARACTER)
_SYMBOL = re.compile(r"\S")

Tokenizer = Callable[[str], list[str]]


def words(text: str) -> list[str]:
    """Words with inner apostrophes, single signs, single characters of unspaced scripts; marks stay on them.

    Example:
        >>> words("It isn't bad, 很好!")
        ['It', "isn't", 'bad', ',', '很', '好', '!']
    """
    return _TOKEN.findall(text)


def is_unspaced(token: str) -> bool:
    """Whether a token is a character of a script that puts no spaces between words."""
    return _ONE_UNSPACED.fullmatch(token) is not None


def characters(text: str) -> list[str]:
    """Every character that is not white space.

    Example:
        >>> characters("a bc")
        ['a', 'b', 'c']
    """
    return _SYMBOL.findall(text)


def all_characters(text: str) -> list[str]:
    """Every character, white space too.

    Example:
        >>> all_characters("a bc")
        ['a', ' ', 'b', 'c']
    """
    return list(text)


def _chinese() -> Tokenizer:
    try:
        import jieba
    except ModuleNotFoundError:
        raise InputError(
            "the tokenizer 'chinese' needs the package jieba",
            where="text.tokenizer",
            right="an installation with it: pip install 'lslm[chinese]'",
        ) from None
    jieba.setLogLevel("ERROR")
    return lambda text: [token for token in jieba.lcut(text) if not token.isspace()]


def tokenizer(settings: TextSettings) -> Tokenizer:
    """The function that the settings name; the same one in training and in serving.

    Example:
        >>> tokenizer(TextSettings())("Good Film.")
        ['good', 'film', '.']
    """
    split = {
        "words": lambda: words,
        "characters": lambda: characters,
        "all-characters": lambda: all_characters,
        "chinese": _chinese,
    }
    tokens = split[settings.tokenizer]()
    return (lambda text: tokens(text.lower())) if settings.lowercase else tokens


def marked(split: Tokenizer, sentences: Sentences | None) -> Tokenizer:
    """Tokenize sentence by sentence, with a mark between them; as it is without `sentences`.

    Example:
        >>> marked(words, str.splitlines)("One two.\\nThree.")
        ['One', 'two', '.', '<s>', 'Three', '.']
    """
    if sentences is None:
        return split

    def tokens(text: str) -> list[str]:
        found: list[str] = []
        for number, sentence in enumerate(sentences(text)):
            found += [MARK, *split(sentence)] if number else split(sentence)
        return found

    return tokens
