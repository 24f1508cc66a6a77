"""Markdown tables, and how a score is told."""

from collections.abc import Sequence

from lslm.evaluation.report import Score


def told(score: Score) -> str:
    """A score with its interval and n."""
    return f"{score.value:.4f} ({score.low:.4f} to {score.high:.4f}, n = {score.n})"


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; bars and line breaks in its cells do not break it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
