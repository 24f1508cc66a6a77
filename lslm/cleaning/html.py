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
# `<` stands outside the case-insensitive part so that the search can skip to it. Attributes have a
# value or are known flags, and their number and length are bounded, so that no input is slow.
_VALUE = r"""(?:"[^"]{0,2000}"|'[^']{0,2000}'|[^\s"'<>=]{1,2000})"""
_FLAGS = (
    "allowfullscreen|async|autofocus|autoplay|checked|compact|controls|defer|disabled|hidden|ismap"
    "|loop|multiple|muted|noresize|noshade|nowrap|open|readonly|required|reversed|selected"
)
_ATTRIBUTE = (
    rf"\s{{1,20}}(?:[A-Za-z_:][\w:.-]{{0,60}}\s{{0,5}}=\s{{0,5}}{_VALUE}|(?i:{_FLAGS})(?=[\s/>]))"
)
_TAIL = rf"(?>{_ATTRIBUTE}){{0,40}}\s{{0,20}}/?>"
_BREAK = re.compile(r"<(?i:br)\s*/?>")
_EDGE = re.compile(rf"</?(?i:{_BLOCKS}){_TAIL}")
_KNOWN = rf"/?(?i:{_BLOCKS}|{_INLINE}){_TAIL}|!--|!(?i:doctype)[^<>]{{0,2000}}>"
_TAG = re.compile(rf"<(?:{_KNOWN})")
_ENTITY = r"(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_ENTITIES = re.compile(f"&{_ENTITY}")
_STRAY = re.compile(rf"<(?!{_KNOWN})|&(?!{_ENTITY})")
_ESCAPED = {"<": "&lt;", "&": "&amp;"}
# What hides all that follows, up to its end.
_HIDING = "noscript|script|style|template|title"
_OPENING = re.compile(rf"<(?=[nstNST!])(?:((?i:{_HIDING})){_TAIL}|!(--))")
_CLOSING = re.compile(rf"</((?i:{_HIDING}))\s{{0,20}}/?>|(--)>")
_HIDDEN = re.compile(
    rf"<(?:((?i:{_HIDING})){_TAIL}.*?</(?i:\1)\s{{0,20}}/?>|!--(?:-?>|.*?-->))", re.DOTALL
)
# The parser's time grows with the square of the depth: 60,000 nested tags took 3 s.
_MOST_TAGS = 10_000
_UNSEEN = ["script", "style", "template", "noscript", "head"]


def to_text(text: str) -> str:
    """The text a reader of the page sees; `<br>` and the edges of blocks become line breaks.

    Only tags of known names count, and those that hide their content only where their end follows, so
    that a lone `<` or `<script>` never swallows what follows. Where a break or a block stands, the
    source's own line breaks are spaces, as HTML says.

    Example:
        >>> to_text("So <i>good</i>.<br />I <3 it &amp; you")
        'So good.\\nI <3 it & you'
    """
    if "<" in text:
        text = _broken(_ended(text))
        if _TAG.search(text):
            return _parsed(text)
    return _ENTITIES.sub(_unescaped, text) if "&" in text else text


def _ended(text: str) -> str:
    """The text with `&lt;` for the `<` of what would hide all that follows, and has no end."""
    if not _OPENING.search(text):
        return text
    last = {_kind(end): end.start() for end in _CLOSING.finditer(text)}

    def escaped(start: re.Match[str]) -> str:
        # The end of `<!-->` begins two signs before that of its start.
        ends = last.get(_kind(start), -1) >= start.end() - 2
        return start[0] if ends else f"&lt;{start[0][1:]}"

    return _OPENING.sub(escaped, text)


def _kind(match: re.Match[str]) -> str:
    return (match[1] or match[2]).lower()


def _broken(text: str) -> str:
    """Line breaks where the page has them, and nowhere else."""
    if not (_BREAK.search(text) or _EDGE.search(text)):
        return text
    joined = text.replace("\r", " ").replace("\n", " ")
    return _EDGE.sub(r"\n\g<0>", _BREAK.sub("\n", joined))


def _parsed(text: str) -> str:
    if text.count("<") > _MOST_TAGS:
        return _ENTITIES.sub(_unescaped, _TAG.sub("", _HIDDEN.sub("", text)))
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(_STRAY.sub(_escaped, text))
    page.strip_tags(_UNSEEN)
    return page.body.text() if page.body is not None else ""


def _escaped(match: re.Match[str]) -> str:
    return _ESCAPED[match[0]]


def _unescaped(match: re.Match[str]) -> str:
    return html.unescape(match[0])
