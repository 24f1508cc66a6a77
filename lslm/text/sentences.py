"""How a document becomes sentences."""

from collections.abc import Callable
from typing import Literal

Sentences = Callable[[str], list[str]]

_LONGEST = 600
"""Characters; what is longer, such as text without full stops, is cut at spaces."""


def splitter(by: Literal["sentences", "lines"], language: str) -> Sentences:
    """The function that cuts a cleaned document; a sentence never goes over a line's end.

    With `lines` each line is one sentence, as where documents come as lists of sentences. `language`
    is an ISO 639 code, which knows abbreviations and full stops; one that is not known falls back to
    its nearest relative, at last to English.

    Example:
        >>> splitter("sentences", "en")("It works, cf. Fig. 3. Dr. Watson agrees!")
        ['It works, cf. Fig. 3.', 'Dr. Watson agrees!']
    """
    if by == "lines":
        return lambda text: [line.strip() for line in text.splitlines() if line.strip()]

    def split(text: str) -> list[str]:
        from sentencex import segment

        return [
            piece
            for line in text.splitlines()
            for sentence in segment(language, line)
            if sentence.strip()
            for piece in _pieces(sentence.strip())
        ]

    return split


def _pieces(sentence: str) -> list[str]:
    """The sentence, cut near the end of each 600 characters where it is that long."""
    pieces: list[str] = []
    while len(sentence) > _LONGEST:
        space = sentence.rfind(" ", _LONGEST // 2, _LONGEST)
        end = space if space > 0 else _LONGEST
        pieces.append(sentence[:end].strip())
        sentence = sentence[end:].strip()
    return [*pieces, sentence] if sentence else pieces
