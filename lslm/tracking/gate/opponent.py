"""The challenger against the champion, on holdout documents that the champion did not train on."""

from dataclasses import dataclass

from lslm.evaluation.report import Rule
from lslm.heads.contract import Comparison, Goal
from lslm.settings import GateSettings
from lslm.tracking.gate.direction import gain


@dataclass(frozen=True)
class Opponent:
    """The champion, and how the challenger does against it."""

    version: str
    comparison: Comparison | None
    """Challenger minus champion; None where the champion trained on the whole holdout, or their scores do not
    compare."""
    n_left_out: int = 0
    """Holdout documents the champion trained on."""
    challenger: float = float("nan")
    """The goal's metric on the documents compared."""
    champion: float = float("nan")
    unlike: str = ""
    """What keeps the two from being compared; then there is no comparison."""


def significance(goal: Goal, champion: Opponent | None, settings: GateSettings) -> Rule:
    """The difference is for the better, and the paired test says it is not chance."""
    name, limit = "beats the champion", f"p < {settings.level:g}"
    if champion is None:
        return Rule(name=name, passed=True, figures="no champion yet", limit=limit)
    found = champion.comparison
    if found is None:
        return Rule(name=name, passed=False, figures=_nothing_left(champion), limit=limit)
    left = f", {champion.n_left_out} it trained on left out" if champion.n_left_out else ""
    return Rule(
        name=name,
        passed=gain(goal, found.difference) > 0 and found.p_value < settings.level,
        figures=(
            f"{goal.metric} {champion.challenger:.4f} against {champion.champion:.4f} of version "
            f"{champion.version}, {found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f}), "
            f"{found.test}: p = {found.p_value:.3g}, {found.counted}{left}"
        ),
        limit=limit,
    )


def effect(goal: Goal, champion: Opponent | None, settings: GateSettings) -> Rule:
    """The difference is large enough to be worth a change."""
    name = "gains enough"
    limit = f"{settings.min_effect:g} or more" if settings.min_effect else "none"
    if champion is None:
        return Rule(name=name, passed=True, figures="no champion yet", limit=limit)
    if champion.comparison is None:
        passed = not settings.min_effect
        return Rule(name=name, passed=passed, figures=_nothing_left(champion), limit=limit)
    found = gain(goal, champion.comparison.difference)
    return Rule(
        name=name,
        passed=not settings.min_effect or found >= settings.min_effect,
        figures=f"{found:+.4f} {goal.metric}{'' if goal.direction == 'maximize' else ', less'}",
        limit=limit,
    )


def _nothing_left(champion: Opponent) -> str:
    if champion.unlike:
        return (
            f"its scores do not compare with those of version {champion.version}: {champion.unlike}"
        )
    return (
        "nothing in the holdout to compare on, "
        f"version {champion.version} trained on all {champion.n_left_out} documents of it"
    )
