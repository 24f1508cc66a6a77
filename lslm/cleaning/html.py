"""HTML to plain text; what only looks like HTML (`a < b`, `<3`, `AT&T`) stays as it is."""

import html
import re

_BLOCKS = (
    "address|article|aside|blockquote|body|center|dd|details|dialog|div|dl|dt|fieldset|figcaption|figure|footer"
    "|form|h[1-6]|head|header|hr|html|li|main|nav|ol|p|pre|section|summary|table|tbody|td|tfoot|th"
    "|thead|title|tr|ul"
)
_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|button|cite|code|data|del|dfn|em|font|i|iframe|img|input|ins|kbd"
    "|label|link|mark|meta|noscript|object|option|q|s|samp|script|select|small|span|strike|strong"
    "|style|sub|sup|svg|template|textarea|time|tt|u|var|video|wbr"
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BLOCK = re.compile(rf"(?=</?(?:{_BLOCKS})(?:\s[^<>]*)?/?>)", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_BLOCKS}|{_INLINE})(?:\s[^<>]*)?/?>|<!--|<!doctype", re.IGNORECASE)
_STRAY = re.compile(
    rf"<(?!/?(?:{_BLOCKS}|{_INLINE})(?:\s[^<>]*)?/?>|!--|!doctype)"
    r"|&(?!(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});)",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNSEEN = ["script", "style", "template", "noscript", "head"]
_ESCAPED = {"<": "&lt;", "&": "&amp;"}


def to_text(text: str) -> str:
    """The text a reader of the page sees; `<br>` and the edges of blocks become line breaks.

    Only tags of known names count, so that a lone `<` never swallows what follows. Where a break
    or a block stands, the source's own line breaks are spaces, as HTML says.

    Example:
        >>> to_text("So <i>good</i>.<br /><br />I <3 it &amp; <p>you</p>").split("\\n")
        ['So good.', '', 'I <3 it & ', 'you', '']
    """
    if "<" not in text:
        return _ENTITY.sub(_unescaped, text) if "&" in text else text
    broken = _BREAK.sub("\n", _joined(text)) if _BREAK.search(text) else text
    if _TAG.search(broken):
        return _parsed(broken)
    return _ENTITY.sub(_unescaped, broken) if "&" in broken else broken


def _parsed(text: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    if _BLOCK.search(text) and not _BREAK_MADE(text):
        text = _joined(text)
    escaped = _STRAY.sub(lambda match: _ESCAPED[match[0]], _BLOCK.sub("\n", text))
    page = LexborHTMLParser(escaped)
    page.strip_tags(_UNSEEN)
    return page.body.text() if page.body is not None else ""


def _joined(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ") if "\n" in text or "\r" in text else text


def _unescaped(match: re.Match[str]) -> str:
    return html.unescape(match[0])
