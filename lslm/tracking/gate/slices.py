"""Parts of the holdout: a better mean must not hide a part that got worse."""

from dataclasses import dataclass

import polars as pl

from lslm.evaluation.report import Rule
from lslm.evaluation.slices import partitions, parts
from lslm.heads.contract import Array, Comparison, Goal
from lslm.settings import GateSettings
from lslm.tracking.gate.direction import gain
from lslm.tracking.gate.opponent import Opponent
from lslm.tracking.gate.paired import Test, groups_of


@dataclass(frozen=True)
class Slice:
    """One part of the holdout: the challenger's mean score, and the champion's beside it."""

    name: str
    """Such as `label neg` or `length long (over 812 characters)`."""
    n: int
    challenger: float
    comparison: Comparison | None
    """Challenger minus champion; None where there is no champion."""


def sliced(
    documents: pl.DataFrame, ours: Array, theirs: Array | None, test: Test, settings: GateSettings
) -> tuple[Slice, ...]:
    """The slices that are large enough; scores are `(n,)`, in the order of the documents."""
    groups = groups_of(documents)
    return tuple(
        Slice(
            name=name,
            n=int(rows.sum()),
            challenger=float(ours[rows].mean()),
            comparison=None if theirs is None else test(ours[rows], theirs[rows], groups[rows]),
        )
        for by in settings.slices
        for partition in partitions(documents, by)
        for name, rows in parts(documents, partition, settings.min_slice)
    )


def worst(
    goal: Goal, slices: tuple[Slice, ...], champion: Opponent | None, settings: GateSettings
) -> Rule:
    """No slice is worse than the champion by more than the margin, by more than chance."""
    name = "no slice got worse"
    limit = f"not by over {settings.slice_margin:g} with p < {settings.level:g}"
    if not slices:
        few = f"no slice has {settings.min_slice} documents"
        return Rule(name=name, passed=True, figures=few, limit=limit)
    compared = [(each, each.comparison) for each in slices if each.comparison is not None]
    if champion is None or not compared:
        weakest = min(slices, key=lambda each: gain(goal, each.challenger))
        figures = f"no champion to compare with; weakest of {len(slices)}: {_told(goal, weakest)}"
        return Rule(name=name, passed=True, figures=figures, limit=limit)
    failing = [pair for pair in compared if _worse(goal, pair[1], settings)]
    shown, found = min(failing or compared, key=lambda pair: gain(goal, pair[1].difference))
    more = f", {len(failing)} of them fail" if len(failing) > 1 else ""
    return Rule(
        name=name,
        passed=not failing,
        figures=(
            f"worst of {len(compared)}{more}: {_told(goal, shown)}, {found.difference:+.4f} "
            f"against version {champion.version}, {found.test}: p = {found.p_value:.3g}"
        ),
        limit=limit,
    )


def _worse(goal: Goal, found: Comparison, settings: GateSettings) -> bool:
    beyond = gain(goal, found.difference) < -settings.slice_margin
    return beyond and found.p_value < settings.level


def _told(goal: Goal, each: Slice) -> str:
    counted = each.comparison.counted if each.comparison else f"n = {each.n}"
    return f"{each.name}, {goal.metric} {each.challenger:.4f}, {counted}"
