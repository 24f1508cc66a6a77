"""Which words carry the answers of a network, on documents that it never saw.

Attention alone is no explanation (Jain & Wallace 2019): what counts here is what leaving a word out
changes. How far attention agrees with that is told beside it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lslm.evaluation.report import ExplainedDocument, Explanation, Score, WordEffect
from lslm.evaluation.scoring import mean_score
from lslm.settings import EvaluationSettings, Section

_FEWEST = 3
"""Occurrences of a word that is listed; words of a document whose ranks are compared."""
_SHOWN_WORDS = 10
_SHOWN_DOCUMENTS = 6
_SHOWN_LABELS = 12


class Explained(Section):
    """One document: its answer, and what each word did for it."""

    source: str
    row: int
    given: str
    said: str
    effects: tuple[tuple[str, float], ...]
    attention: tuple[float, ...]
    """A weight a word; empty where nothing attends."""


@dataclass(frozen=True)
class _Occurrences:
    label: str
    word: str
    effects: list[float]


def explanation(explained: Sequence[Explained], settings: EvaluationSettings) -> Explanation | None:
    """What the report tells; None without documents."""
    if not explained:
        return None
    return Explanation(
        n=len(explained),
        words=tuple(_largest(explained, settings)),
        agreement=_agreement(explained, settings),
        examples=tuple(_examples(explained)),
    )


def _largest(explained: Sequence[Explained], settings: EvaluationSettings) -> Iterator[WordEffect]:
    """For each answer the words that do most for it on average."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for document in explained:
        for word, effect in document.effects:
            found[document.said][word].append(effect)
    for label in sorted(found, key=lambda label: -len(found[label]))[:_SHOWN_LABELS]:
        frequent = [
            _Occurrences(label, word, effects)
            for word, effects in found[label].items()
            if len(effects) >= _FEWEST
        ]
        frequent.sort(key=lambda each: -float(np.mean(each.effects)))
        for each in frequent[:_SHOWN_WORDS]:
            score = mean_score(np.array(each.effects), settings)
            yield WordEffect(label=each.label, word=each.word, effect=score)


def _agreement(explained: Sequence[Explained], settings: EvaluationSettings) -> Score | None:
    from scipy.stats import kendalltau

    taus = [
        kendalltau(each.attention, [abs(effect) for _, effect in each.effects]).statistic
        for each in explained
        if len(each.attention) >= _FEWEST
    ]
    # Without two different values there are no ranks to compare.
    known = np.array([tau for tau in taus if np.isfinite(tau)])
    return mean_score(known, settings) if len(known) else None


def _examples(explained: Sequence[Explained]) -> Iterator[ExplainedDocument]:
    """The first of the sample that are short enough to read, one an answer in turn."""
    by_answer: dict[str, list[Explained]] = defaultdict(list)
    for each in explained:
        if _FEWEST <= len(each.effects) <= 60:
            by_answer[each.said].append(each)
    turns = max(map(len, by_answer.values()), default=0)
    in_turn = [
        each[turn] for turn in range(turns) for each in by_answer.values() if turn < len(each)
    ]
    for each in in_turn[:_SHOWN_DOCUMENTS]:
        yield ExplainedDocument(
            source=each.source,
            row=each.row,
            given=each.given,
            said=each.said,
            words=each.effects,
        )
