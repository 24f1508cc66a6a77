"""From tokens back to text, a token at a time."""

import re

from lslm.text.pieces import INSIDE
from lslm.text.tokenizers import is_unspaced
from lslm.text.vocabulary import MARK

_TIGHT_BEFORE = frozenset(",.!?;:)]}%…”»،؛؟۔।॥")
_TIGHT_AFTER = frozenset("([{“«$#@")
_QUOTE = '"'
_IN_NUMBERS, _THOUSAND = frozenset(".,"), 3
_WIDE = re.compile("[\u3001-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")
"""Signs of Chinese and Japanese, whose space is inside of them."""


class Joiner:
    """What each token adds to the text: words get the spaces that people write between them.

    Example:
        >>> join = Joiner("words")
        >>> "".join(map(join, ["well", ",", "it", "(", "is", ")", "so", "."]))
        'well, it (is) so.'
        >>> join = Joiner("words", in_pieces=True)
        >>> "".join(map(join, ["so", "un", "##bear", "##able"]))
        'so unbearable'
    """

    def __init__(self, tokenizer: str, *, in_pieces: bool = False) -> None:
        self._spaced, self._in_pieces = tokenizer == "words", in_pieces
        self._before, self._quoted, self._number = "", False, False

    def __call__(self, token: str) -> str:
        """The token with what stands between it and the one before."""
        inside = self._in_pieces and token.startswith(INSIDE)
        text = "\n" if token == MARK else token[len(INSIDE) :] if inside else token
        gap = " " if self._spaced and not inside and self._apart(text) else ""
        # A quotation ends with its line, whether it was closed or not.
        self._quoted = token != MARK and self._quoted != (text == _QUOTE)
        begun = self._before.isdigit() and len(self._before) <= _THOUSAND
        self._number = begun and text in _IN_NUMBERS
        self._before = text
        return gap + text

    def _apart(self, text: str) -> bool:
        before = self._before
        if before in ("", "\n") or text == "\n":
            return False
        if text in _TIGHT_BEFORE or before in _TIGHT_AFTER:
            return False
        if self._number and text.isdigit():
            # 3.5 and 1,000, but 1, 2, 3, and no year at the end of a sentence.
            return before == "," and len(text) != _THOUSAND
        if _WIDE.fullmatch(text) or _WIDE.fullmatch(before):
            return False
        if _QUOTE in (text, before):
            # No space inside of quotes: before the closing one, after the opening one.
            return not self._quoted
        return not (is_unspaced(text) and is_unspaced(before))
