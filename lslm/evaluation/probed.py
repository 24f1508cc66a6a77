"""Sections of the report on words that carry answers, and words that should not, as Markdown."""

from collections.abc import Sequence

from lslm.evaluation.report import ExplainedDocument, Explanation, SwapEffect
from lslm.evaluation.tables import table, told

_SHOWN_EFFECTS = 4


def explanation_text(found: Explanation | None) -> str:
    """The words that do most for each answer, a few documents, and how far attention agrees."""
    if found is None:
        return ""
    words = [(each.label, each.word, told(each.effect)) for each in found.words]
    parts = [
        f"Of {found.n} documents of the last fold, unseen by the network that answers here, each word was "
        "left out in turn. The effect is how much of the answer's probability goes with it.",
        table(("answer", "word", "mean effect, n occurrences"), words)
        if words
        else "No word stood in three documents of one answer.",
        _agreement(found),
    ]
    if found.examples:
        parts.append(
            table(("document", "label", "answer", "strongest words"), _rows(found.examples))
        )
    return "\n\n".join(parts)


def _rows(examples: Sequence[ExplainedDocument]) -> list[tuple[str, str, str, str]]:
    """A row a document, with the words that did most for or against the answer."""
    return [
        (f"{each.source}:{each.row}", each.given, each.said, _strongest(each)) for each in examples
    ]


def _strongest(document: ExplainedDocument) -> str:
    ordered = sorted(document.words, key=lambda pair: -abs(pair[1]))[:_SHOWN_EFFECTS]
    return ", ".join(f"{word} ({effect:+.3f})" for word, effect in ordered)


def _agreement(found: Explanation) -> str:
    if found.agreement is None:
        return "The network has no attention to compare with."
    return (
        f"Attention ranks words as their effects do to a degree of {told(found.agreement)} (Kendall's tau, "
        "mean over documents; 1: the same order, 0: none). Where that is low, what the network attends "
        "to does not explain its answer."
    )


def swaps_text(swaps: Sequence[SwapEffect]) -> str:
    """How often an answer changes when a word takes another's place."""
    if not swaps:
        return ""
    rows = [
        (
            f"{each.word} to {each.other}",
            each.n,
            told(each.flips) if each.flips else "too few documents",
            "; ".join(f"{label} {told(score)}" for label, score in each.changes.items()),
        )
        for each in swaps
    ]
    shown = table(
        ("swap", "documents", "share of answers that change", "change of probability"), rows
    )
    return (
        "Words of the holdout put in the place of others that should make no difference. A share or a "
        f"change whose interval leaves out 0 is a bias of the model.\n\n{shown}"
    )
