"""What decides whether a challenger becomes champion: a table of rules, each with its figures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lslm.errors import InputError
from lslm.evaluation.report import Decision, Rule, Scores
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Array, Comparison, Head, Targets
from lslm.serving.predictor import Predictor
from lslm.settings import RegistrySettings
from lslm.tracking import promotion, registry
from lslm.tracking.store import Store

_SEEN = "seen.npy"


@dataclass(frozen=True)
class ChampionComparison:
    """The challenger against the champion, on holdout documents the champion did not train on."""

    version: str
    comparison: Comparison | None
    """None where they cannot be compared."""
    why_not: str = ""


def decide(
    head: Head,
    scores: Scores,
    settings: RegistrySettings,
    champion: ChampionComparison | None,
    holdout_uses: int,
) -> Decision:
    """Promote if every rule passes; the reason is the first that does not."""
    rules = [_versus_champion(champion, settings)]
    if settings.must_beat_baselines:
        rules.insert(0, _versus_baselines(head, scores))
    failed = [rule for rule in rules if not rule.passed]
    reason = (
        f"refused: {failed[0].name}: {failed[0].figures}"
        if failed
        else f"promoted: {'; '.join(rule.figures for rule in rules)}"
    )
    times = "once" if holdout_uses == 1 else f"{holdout_uses} times"
    told = Rule(name="holdout used", passed=True, figures=f"{times}, this run included")
    return Decision(promoted=not failed, reason=reason, rules=(*rules, told))


def compare_with_champion(
    store: Store,
    name: str,
    holdout: pl.DataFrame,
    head: Head,
    challenger_outputs: Array,
    targets: Targets,
) -> ChampionComparison | None:
    """Ask the champion about the same holdout; None where there is no champion."""
    version = promotion.champion(store, name)
    if version is None:
        return None
    folder = registry.download(store, name, version)
    rows = np.flatnonzero(~np.isin(holdout["fingerprint"].to_numpy(), _seen(folder)))
    if not len(rows):
        why = "the champion trained on every document of this holdout"
        return ChampionComparison(version, None, why)
    fresh, champion = holdout[rows], Predictor.load(folder)
    ours = head.example_scores(head.encode_targets(fresh, targets), challenger_outputs[rows])
    try:
        truth = head.encode_targets(fresh, champion.targets)
    except InputError as error:
        return ChampionComparison(version, None, f"the champion does not know: {error.what}")
    theirs = head.example_scores(truth, champion.outputs(fresh["text"].to_list()))
    return ChampionComparison(version, head.compare(ours, theirs))


def _versus_baselines(head: Head, scores: Scores) -> Rule:
    name, metric = "beats every baseline", head.goal.metric
    values = {system: each[metric].value for system, each in scores.systems.items()}
    ours = values.pop(NETWORK)
    if not values:
        return Rule(name=name, passed=False, figures="no baseline was scored")
    sign = 1 if head.goal.direction == "maximize" else -1
    best = max(values, key=lambda system: sign * values[system])
    return Rule(
        name=name,
        passed=sign * (ours - values[best]) > 0,
        figures=f"{metric} {ours:.4f} against {values[best]:.4f} of {best}",
    )


def _versus_champion(champion: ChampionComparison | None, settings: RegistrySettings) -> Rule:
    name = "beats the champion"
    if champion is None:
        return Rule(name=name, passed=True, figures="no champion yet")
    found = champion.comparison
    if found is None:
        return Rule(name=name, passed=False, figures=champion.why_not)
    return Rule(
        name=name,
        passed=found.difference > 0 and found.p_value < settings.level,
        figures=(
            f"{found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f}) against version "
            f"{champion.version}, {found.test}: p = {found.p_value:.3f}, level {settings.level}, "
            f"n = {found.n}"
        ),
    )


def _seen(folder: Path) -> Array:
    return np.load(folder / _SEEN)
