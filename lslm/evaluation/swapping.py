"""Do answers change when words take each other's place that should make no difference?"""

import re
from collections.abc import Sequence

import numpy as np

from lslm.evaluation.report import SwapEffect
from lslm.evaluation.scoring import mean_score
from lslm.heads.contract import Array
from lslm.settings import EvaluationSettings, Section

_FEWEST = 5
"""Documents; of fewer nothing is said but their number."""


class Swapped(Section):
    """The outputs for the documents that hold `word`, before and after `other` took its place."""

    word: str
    other: str
    labels: tuple[str, ...]
    before: tuple[tuple[float, ...], ...]
    after: tuple[tuple[float, ...], ...]


def swap(text: str, word: str, other: str) -> str:
    """`other` in the place of every `word`, which has to stand alone; capitals stay.

    Example:
        >>> swap("He said: HE is the hero", "he", "she")
        'She said: SHE is the hero'
    """

    def in_case(found: re.Match[str]) -> str:
        if found[0].isupper() and len(found[0]) > 1:
            return other.upper()
        return other.capitalize() if found[0][0].isupper() else other

    # Chinese words have no space around them.
    alone = rf"(?<!\w){re.escape(word)}(?!\w)" if word.isascii() else re.escape(word)
    return re.sub(alone, in_case, text, flags=re.IGNORECASE)


def swap_effects(found: Sequence[Swapped], settings: EvaluationSettings) -> tuple[SwapEffect, ...]:
    """What the report tells of each."""
    return tuple(_effect(each, settings) for each in found)


def _effect(found: Swapped, settings: EvaluationSettings) -> SwapEffect:
    n = len(found.before)
    if n < _FEWEST:
        return SwapEffect(word=found.word, other=found.other, n=n, flips=None, changes={})
    before, after = np.array(found.before), np.array(found.after)
    flips: Array = (before.argmax(axis=1) != after.argmax(axis=1)).astype(np.float64)
    return SwapEffect(
        word=found.word,
        other=found.other,
        n=n,
        flips=mean_score(flips, settings),
        changes={
            label: mean_score(after[:, place] - before[:, place], settings)
            for place, label in enumerate(found.labels)
        },
    )
