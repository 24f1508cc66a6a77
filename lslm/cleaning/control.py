"""Remove what cannot be seen: control, format and surrogate characters."""

import re

# White space among the controls (tab, line ends, 1c-1f, 85) is the white-space step's.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
# Soft hyphen, zero-width space, word joiner, byte order mark, directional marks, invisible
# operators, interlinear marks, tags and lone surrogates. Joiners (ZWNJ, ZWJ) only after what no
# joining script or emoji can be: they spell words in Persian and Hindi and build emoji.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
    "|(?<![\u0600-\u1fff\u2190-\u2bff\ufb50-\ufe0f\ufe70-\ufefc\U00010a00-\U0001ffff])[\u200c\u200d]"
)


def remove(text: str) -> str:
    r"""The text without invisible characters; joiners stay where a script or an emoji needs them.

    Example:
        >>> remove("co\u00adop\u200b\x00 می\u200cخواهم") == "coop می\u200cخواهم"
        True
    """
    pattern = _CONTROL if text.isascii() else _INVISIBLE
    return pattern.sub("", text) if pattern.search(text) else text
