"""Markdown tables, and how a score is told."""

import re
from collections.abc import Sequence

from lslm.evaluation.report import Score

_MARKUP = re.compile(r"[\\`*<\[\]~|&]|(?<![^\W_])_|_(?![^\W_])")


def told(score: Score) -> str:
    """A score with its interval and n."""
    return f"{score.value:.4f} ({score.low:.4f} to {score.high:.4f}, n = {score.n})"


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; whatever its cells contain is shown as it is."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def literal(text: str) -> str:
    """Text of a document or a person, so that no Markdown in it takes effect.

    An underscore inside a word has none, and stays readable.

    Example:
        >>> print(literal("*so* good, see max_tokens"))
        \\*so\\* good, see max_tokens
    """
    return _MARKUP.sub(r"\\\g<0>", text)


def _cell(value: object) -> str:
    return " ".join(literal(str(value)).splitlines())
