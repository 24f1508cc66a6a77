"""How a document becomes tokens."""

import re
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
_WORD = rf"(?:(?![{_UNSPACED}])\w)+"
_TOKEN = re.compile(rf"{_WORD}(?:['’]{_WORD})*|[^\s\w]|[{_UNSPACED}]")
_ONE_UNSPACED = re.compile(f"[{_UNSPACED}]")
_SYMBOL = re.compile(r"\S")

Tokenizer = Callable[[str], list[str]]


def words(text: str) -> list[str]:
    """Words with inner apostrophes, single signs, single characters of unspaced scripts.

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
