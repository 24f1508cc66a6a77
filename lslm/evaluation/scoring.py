"""Scores with their intervals, of the network and of every baseline on the same documents."""

from collections.abc import Mapping, Sequence

import numpy as np

from lslm.errors import InputError
from lslm.evaluation.answers import Answers
from lslm.evaluation.report import FoldScores, PairedDifference, Score, Scores
from lslm.heads.contract import Array, Head
from lslm.settings import EvaluationSettings
from lslm.statistics.intervals import bootstrap

NETWORK = "network"


def score_systems(head: Head, answers: Answers, settings: EvaluationSettings) -> Scores:
    """Every metric of the head for every system, and the network against each baseline."""
    return Scores(
        systems={
            system: {
                metric: _score(head, metric, answers.truth, outputs, settings)
                for metric in head.metrics
            }
            for system, outputs in answers.outputs.items()
        },
        differences=_differences(head, answers),
        details=tuple(head.details(answers.truth, answers.outputs[NETWORK], dict(answers.targets))),
    )


def score_folds(head: Head, folds: Sequence[Answers], settings: EvaluationSettings) -> FoldScores:
    """Scores over the answers of all folds together, and each fold's own values.

    Each document was answered by systems that never saw it. Folds must agree on their targets.
    """
    pooled = score_systems(head, _pooled(folds), settings)
    return FoldScores(
        systems=pooled.systems,
        differences=pooled.differences,
        details=pooled.details,
        folds=tuple(_plain(head, fold) for fold in folds),
    )


def _pooled(folds: Sequence[Answers]) -> Answers:
    if any(fold.targets != folds[0].targets for fold in folds):
        raise InputError(
            "the folds do not have the same labels",
            where="evaluation.folds",
            right="fewer folds, or more documents of the rare labels",
        )
    outputs = {
        system: np.concatenate([fold.outputs[system] for fold in folds])
        for system in folds[0].outputs
    }
    truth = np.concatenate([fold.truth for fold in folds])
    return Answers(truth, outputs, folds[0].targets, {})


def _plain(head: Head, fold: Answers) -> dict[str, dict[str, float]]:
    return {
        system: {name: float(metric(fold.truth, out)) for name, metric in head.metrics.items()}
        for system, out in fold.outputs.items()
    }


def _score(
    head: Head, metric: str, truth: Array, outputs: Array, settings: EvaluationSettings
) -> Score:
    value, low, high = bootstrap(
        head.metrics[metric],
        truth,
        outputs,
        resamples=settings.resamples,
        confidence=settings.confidence,
        seed=settings.seed,
    )
    return Score(value=value, low=low, high=high, n=len(truth))


def _differences(head: Head, answers: Answers) -> tuple[PairedDifference, ...]:
    scores: Mapping[str, Array] = {
        system: head.example_scores(answers.truth, outputs)
        for system, outputs in answers.outputs.items()
    }
    return tuple(_difference(head, scores, system) for system in scores if system != NETWORK)


def _difference(head: Head, scores: Mapping[str, Array], against: str) -> PairedDifference:
    found = head.compare(scores[NETWORK], scores[against])
    return PairedDifference(
        against=against,
        metric=head.goal.metric,
        test=found.test,
        difference=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        n=found.n,
    )
