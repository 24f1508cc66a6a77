"""The report as one HTML file that needs nothing else: no script, no font, no address."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from lslm import __version__
from lslm.evaluation.markdown import heading, sections, verdict
from lslm.evaluation.plots import plots
from lslm.evaluation.report import RunReport

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_EXPLAINED = "Words that decide"
"""The section whose documents are shaded."""


def page(report: RunReport) -> str:
    """A finished run on one page, the verdict first; light or dark as the reader's system is."""
    from jinja2 import Environment
    from markupsafe import Markup

    drawn = plots(report)
    template = resources.files("lslm.evaluation").joinpath("page.html").read_text("utf-8")
    parts = [
        {
            "title": title,
            "id": title.lower().replace(" ", "-"),
            # The Markdown was rendered with HTML switched off, the plots are our own.
            "body": Markup(_rendered(text)),  # noqa: S704
            "examples": _shaded(report) if title == _EXPLAINED else [],
            "plots": [Markup(each) for each in drawn.get(title, ())],  # noqa: S704
        }
        for title, text in sections(report).items()
    ]
    return (
        Environment(autoescape=True)
        .from_string(template)
        .render(
            heading=heading(report),
            verdict=verdict(report),
            promoted=report.decision.promoted,
            reason=report.decision.reason,
            parts=parts,
            version=__version__,
        )
    )


def _shaded(report: RunReport) -> list[dict[str, Any]]:
    """Documents whose words are shaded by what they do for the answer, the strongest at half."""
    examples = report.explanation.examples if report.explanation else ()
    return [
        {
            "place": f"{each.source}:{each.row}",
            "given": each.given,
            "said": each.said,
            "words": _shades(each.words),
        }
        for each in examples
    ]


def _shades(words: Sequence[tuple[str, float]]) -> list[tuple[str, int, str]]:
    """Each word with its shade in percent, and whether it stands for the answer or against it."""
    strongest = max(abs(effect) for _, effect in words) or 1.0
    return [
        (word, round(50 * abs(effect) / strongest), "for" if effect >= 0 else "against")
        for word, effect in words
    ]


def _rendered(text: str) -> str:
    """HTML of Markdown; a table may be wider than the page and scrolls by itself."""
    body = _markdown().render(text)
    return body.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image"])
