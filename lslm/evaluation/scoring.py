"""Scores with their intervals, of the network and of every baseline on the same documents."""

from collections.abc import Mapping, Sequence

import numpy as np

from lslm.evaluation.answers import Answers
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import FoldScores, PairedDifference, Score, Scores
from lslm.heads import ragged
from lslm.heads.comparing import compared
from lslm.heads.contract import Array, Head
from lslm.settings import EvaluationSettings
from lslm.statistics.intervals import bootstrap
from lslm.statistics.resampling import Draws, percentiles, resampled_means
from lslm.statistics.significance import paired_bootstrap

NETWORK = "network"


def score_systems(
    head: Head, answers: Answers, settings: EvaluationSettings, system: str = NETWORK
) -> Scores:
    """Every metric of the head for every system, and the network against each baseline.

    The score of `system` is broken down. Answers that are not finite raise ValueError: no metric would mean
    anything.
    """
    _check_finite(answers)
    return Scores(
        systems={
            system: {
                metric: _score(head, metric, answers, outputs, settings) for metric in head.metrics
            }
            for system, outputs in answers.outputs.items()
        },
        differences=_differences(head, answers, settings),
        details=tuple(head.details(answers.truth, answers.outputs[system], dict(answers.targets))),
        ceilings=tuple(sorted(head.ceilings & answers.outputs.keys())),
    )


def score_folds(
    head: Head, folds: Sequence[Answers], settings: EvaluationSettings, system: str = NETWORK
) -> FoldScores:
    """Scores over the answers of all folds together, and each fold's own values.

    Each document was answered by systems that never saw it. A label that one fold's training part
    lacked counts as given no chance there (see `lslm.evaluation.pooling`).
    """
    pooled = score_systems(head, pool(head, folds), settings, system)
    return FoldScores(
        systems=pooled.systems,
        differences=pooled.differences,
        details=pooled.details,
        ceilings=pooled.ceilings,
        folds=tuple(_plain(head, fold) for fold in folds),
    )


def mean_score(values: Array, settings: EvaluationSettings, groups: Array | None = None) -> Score:
    """The mean of one value a document, `(n,)`, with its interval; documents of one group are drawn together."""
    draws = Draws(settings.resamples, np.random.default_rng(settings.seed), groups)
    drawn = resampled_means(values, draws)
    low, high = percentiles(drawn, settings.confidence)
    return Score(value=float(values.mean()), low=low, high=high, n=len(values))


def mean_of_some(
    values: Array, rows: Array, answers: Answers, settings: EvaluationSettings
) -> Score | None:
    """The mean over some of the documents that were answered, a mask `(n,)`; None where there are none."""
    if not rows.any():
        return None
    return mean_score(values[rows], settings, answers.of_group(rows))


def _plain(head: Head, fold: Answers) -> dict[str, dict[str, float]]:
    return {
        system: {name: float(metric(fold.truth, out)) for name, metric in head.metrics.items()}
        for system, out in fold.outputs.items()
    }


def _score(
    head: Head, metric: str, answers: Answers, outputs: Array, settings: EvaluationSettings
) -> Score:
    value, low, high = bootstrap(
        head.metrics[metric],
        answers.truth,
        outputs,
        resamples=settings.resamples,
        confidence=settings.confidence,
        seed=settings.seed,
        groups=answers.groups,
    )
    return Score(value=value, low=low, high=high, n=len(answers.truth))


def _check_finite(answers: Answers) -> None:
    for system, outputs in answers.outputs.items():
        whole = ragged.finite(outputs)
        n_broken = len(outputs) - np.count_nonzero(whole)
        if n_broken:
            raise ValueError(f"{system}: {n_broken} of {len(outputs)} answers are not finite")


def _differences(
    head: Head, answers: Answers, settings: EvaluationSettings
) -> tuple[PairedDifference, ...]:
    scores: Mapping[str, Array] = {
        system: head.example_scores(answers.truth, outputs)
        for system, outputs in answers.outputs.items()
    }
    return tuple(
        _difference(head, scores, name, settings, answers.groups)
        for name in scores
        if name != NETWORK
    )


def _difference(
    head: Head,
    scores: Mapping[str, Array],
    against: str,
    settings: EvaluationSettings,
    groups: Array | None,
) -> PairedDifference:
    ours, theirs = scores[NETWORK], scores[against]
    test = compared(head, ours, theirs, groups)
    difference, low, high = paired_bootstrap(
        ours, theirs, settings.resamples, settings.confidence, settings.seed, groups
    )
    return PairedDifference(
        against=against,
        metric=head.goal.metric,
        test=test.test,
        difference=difference,
        low=low,
        high=high,
        p_value=test.p_value,
        n=test.n,
    )
