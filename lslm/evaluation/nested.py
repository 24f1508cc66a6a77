"""What a search gains by having seen the documents that it is scored on: its optimism."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import calibrated
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import FoldChoice, NestedScores, Optimism
from lslm.evaluation.scoring import NETWORK, score_systems
from lslm.heads import ragged
from lslm.heads.contract import Head
from lslm.settings import EvaluationSettings
from lslm.statistics.significance import paired_bootstrap

_EPOCHS = "training.epochs"
"""Chosen by every search, without being among its parameters."""


@dataclass(frozen=True)
class Search:
    """What one search came to."""

    hyperparameters: Mapping[str, Any]
    """By dotted name."""
    summary: Mapping[str, Any]
    """As `lslm.search.chosen.Chosen.summary` says it."""


def nested_scores(
    head: Head,
    folds: Sequence[Answers],
    nested: Sequence[Answers],
    searches: Sequence[Search],
    own: Search,
    settings: EvaluationSettings,
) -> NestedScores | None:
    """The nested scores beside those of the searched configuration; None where nothing was nested.

    `folds` are the answers of what the pipeline's `own` search chose, `nested` those of what the `searches`
    inside the folds chose; ValueError where they are not for the same documents in the same order. Both are
    scaled like served answers.
    """
    if not nested:
        return None
    scaled = calibrated(head, nested)
    flattered, honest = pool(head, calibrated(head, folds)), pool(head, scaled)
    if not ragged.equal(flattered.truth, honest.truth):
        raise ValueError("the nested answers are for other documents than those of the folds")
    ours = head.example_scores(flattered.truth, flattered.outputs[NETWORK])
    theirs = head.example_scores(honest.truth, honest.outputs[NETWORK])
    difference, low, high = paired_bootstrap(
        ours, theirs, settings.resamples, settings.confidence, settings.seed, honest.groups
    )
    names = _searched(searches)
    return NestedScores(
        scores=score_systems(head, honest, settings).systems[NETWORK],
        optimism=Optimism(difference=difference, low=low, high=high, n=len(ours)),
        best=own.summary["value"],
        own={name: own.hyperparameters[name] for name in names},
        choices=tuple(
            _choice(head, answers, each, names)
            for answers, each in zip(scaled, searches, strict=True)
        ),
    )


def _choice(head: Head, answers: Answers, search: Search, names: Sequence[str]) -> FoldChoice:
    metric = head.metrics[head.goal.metric]
    return FoldChoice(
        value=float(metric(answers.truth, answers.outputs[NETWORK])),
        n=len(answers.truth),
        best=search.summary["value"],
        n_trials=search.summary["n_complete"] + search.summary["n_pruned"],
        seconds=search.summary["seconds"],
        chosen={name: search.hyperparameters[name] for name in names},
    )


def _searched(searches: Sequence[Search]) -> list[str]:
    """Names of what was searched, and the epochs."""
    tried = {
        name
        for each in searches
        for trial in each.summary["trials"]
        for name in trial["parameters"]
    }
    return [*sorted(tried), _EPOCHS]
