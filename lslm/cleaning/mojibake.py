"""Repair text that was decoded with the wrong encoding, such as `cafÃ©` for `café`."""

import re

# What UTF-8 misread as latin-1 or Windows-1252 leaves behind: a lead byte's letter and then a
# continuation byte's sign.
_CONTINUATION = (
    "\x80-\xbf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
)
_SUSPECT = re.compile(f"[\xc2-\xf4][{_CONTINUATION}]")
# Controls that nobody writes: Windows-1252 misread as latin-1 (five of its bytes mean nothing).
_CONTROLS = re.compile("[\x80-\x9f]")
_MEANT = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)}


def repair(text: str) -> str:
    r"""The text with its mojibake undone, by ftfy where UTF-8 was misread (it is asked only then).

    Example:
        >>> repair("cafÃ© â€” nice"), repair("Itâ\x80\x99s")
        ('café — nice', 'It’s')
    """
    if text.isascii():
        return text
    if _SUSPECT.search(text):
        text = _asked(text)
    return text.translate(_MEANT) if _CONTROLS.search(text) else text


def _asked(text: str) -> str:
    import ftfy

    config = ftfy.TextFixerConfig(
        unescape_html=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        remove_control_chars=False,
        normalization=None,
    )
    return ftfy.fix_text(text, config)
