"""What decides whether a challenger becomes champion: a table of rules, each with its figures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lslm.evaluation.pooling import spread
from lslm.evaluation.report import Decision, Rule, Scores
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Array, Comparison, Goal, Head, Targets
from lslm.serving.model_folder import ModelFolder
from lslm.settings import RegistrySettings
from lslm.tracking.promotion import champion as champion_of
from lslm.tracking.store import Store
from lslm.tracking.versions import download, find


@dataclass(frozen=True)
class ChampionComparison:
    """The challenger against the champion, on holdout documents the champion did not train on."""

    version: str
    """The champion's."""
    comparison: Comparison | None
    """Challenger minus champion; None where the champion trained on the whole holdout."""
    n_left_out: int = 0
    """Holdout documents the champion trained on."""
    challenger: float = float("nan")
    """The goal's metric on the documents compared."""
    champion: float = float("nan")


def decide(
    head: Head,
    scores: Scores,
    settings: RegistrySettings,
    champion: ChampionComparison | None,
    holdout_uses: int,
) -> Decision:
    """Promote if every rule passes; the reason is one sentence that names those that do not."""
    rules = [_versus_champion(head.goal, champion, settings.level)]
    if settings.must_beat_baselines:
        rules.insert(0, _versus_baselines(head.goal, scores))
    failed = [rule for rule in rules if not rule.passed]
    reasons = (f"{rule.name} ({rule.figures})" for rule in failed or rules)
    times = "once" if holdout_uses == 1 else f"{holdout_uses} times"
    used = Rule(name="holdout used", passed=True, figures=f"{times}, this run included")
    return Decision(
        promoted=not failed,
        reason=f"{'not promoted, failed' if failed else 'promoted'}: {'; '.join(reasons)}",
        rules=(*rules, used),
    )


def compare_with_champion(
    store: Store,
    name: str,
    holdout: pl.DataFrame,
    head: Head,
    challenger_outputs: Array,
    targets: Targets,
    run_id: str | None = None,
) -> ChampionComparison | None:
    """Ask the champion about the same holdout; None where there is no champion yet.

    A champion that `run_id` itself registered, before it was cut off, is no opponent.
    """
    version = champion_of(store, name)
    if version is None or (run_id and find(store, name, version).run_id == run_id):
        return None
    folder = download(store, name, version)
    rows = np.flatnonzero(~np.isin(holdout["fingerprint"].to_numpy(), ModelFolder(folder).seen()))
    n_left_out = len(holdout) - len(rows)
    if not len(rows):
        return ChampionComparison(version, None, n_left_out)
    fresh = holdout[rows]
    theirs, their_targets = _answers(folder, fresh)
    a, b = _paired(head, fresh, (challenger_outputs[rows], targets), (theirs, their_targets))
    return ChampionComparison(
        version, head.compare(a, b), n_left_out, float(a.mean()), float(b.mean())
    )


def _versus_baselines(goal: Goal, scores: Scores) -> Rule:
    name, metric = "beats every baseline", goal.metric
    values = {system: each[metric].value for system, each in scores.systems.items()}
    ours = values.pop(NETWORK)
    if not values:
        return Rule(name=name, passed=False, figures="no baseline was scored")
    told = ", ".join(f"{value:.4f} of {system}" for system, value in values.items())
    return Rule(
        name=name,
        passed=all(_better(goal, ours - value) for value in values.values()),
        figures=f"{metric} {ours:.4f} against {told}",
    )


def _versus_champion(goal: Goal, champion: ChampionComparison | None, level: float) -> Rule:
    name = "beats the champion"
    if champion is None:
        return Rule(name=name, passed=True, figures="no champion yet")
    found = champion.comparison
    if found is None:
        whole = f"version {champion.version} trained on all {champion.n_left_out} documents of it"
        return Rule(
            name=name, passed=False, figures=f"nothing in the holdout to compare on, {whole}"
        )
    left = f", {champion.n_left_out} it trained on left out" if champion.n_left_out else ""
    return Rule(
        name=name,
        passed=_better(goal, found.difference) and found.p_value < level,
        figures=(
            f"{goal.metric} {champion.challenger:.4f} against {champion.champion:.4f} of version "
            f"{champion.version}, {found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f}), "
            f"{found.test}: p = {found.p_value:.3g}, level {level:g}, n = {found.n}{left}"
        ),
    )


def _better(goal: Goal, difference: float) -> bool:
    return difference > 0 if goal.direction == "maximize" else difference < 0


def _answers(folder: Path, documents: pl.DataFrame) -> tuple[Array, Targets]:
    from lslm.serving.predictor import Predictor

    predictor = Predictor.load(folder)
    return predictor.outputs(documents["text"].to_list()), predictor.targets


def _paired(
    head: Head, documents: pl.DataFrame, *systems: tuple[Array, Targets]
) -> tuple[Array, ...]:
    """One value a document for each system, `(n,)`; over the labels of both."""
    if all("labels" in targets for _, targets in systems):
        labels = sorted({label for _, targets in systems for label in targets["labels"]})
        systems = tuple(
            (spread(outputs, targets["labels"], labels), targets | {"labels": labels})
            for outputs, targets in systems
        )
    return tuple(
        head.example_scores(head.encode_targets(documents, targets), outputs)
        for outputs, targets in systems
    )
