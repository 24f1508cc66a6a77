"""One form for each character: Unicode NFC, which changes no meaning (unlike NFKC)."""

import unicodedata


def compose(text: str) -> str:
    r"""The text in NFC.

    Example:
        >>> compose("e\u0301") == "\u00e9"
        True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)
