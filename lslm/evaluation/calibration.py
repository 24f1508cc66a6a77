"""Temperature scaling fitted on out-of-fold answers, and what it does to answers it never saw."""

from collections.abc import Sequence
from dataclasses import replace

from lslm.evaluation.answers import Answers
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import Calibration, FoldCalibration, ReliabilityBin
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Array, Head
from lslm.settings import EvaluationSettings
from lslm.statistics.calibration import by_chance, fit_temperature, reliability, scale

_DRAWS = 200
_NONE = 1.0


def temperature(head: Head, folds: Sequence[Answers]) -> float:
    """The temperature fitted on the answers of these folds; 1.0 for a head without classes."""
    if head.classes is None:
        return _NONE
    pooled = pool(head, folds)
    return fit_temperature(pooled.outputs[NETWORK], pooled.truth)


def calibrated(head: Head, folds: Sequence[Answers]) -> list[Answers]:
    """The folds as the served model would answer: each scaled by what the other folds say.

    No fold's temperature has seen its documents. Baselines stay as they are.
    """
    return [_scaled(fold, _by_others(head, folds, i)) for i, fold in enumerate(folds)]


def calibration(
    head: Head,
    folds: Sequence[Answers],
    holdout: Answers,
    served: float,
    settings: EvaluationSettings,
) -> Calibration | None:
    """What the report tells; `folds` not yet scaled, `holdout` as served at the temperature `served`."""
    if head.classes is None:
        return None
    outputs = holdout.outputs[NETWORK]
    return Calibration(
        temperature=served,
        folds=tuple(_told(head, folds, i) for i in range(len(folds))),
        holdout_before=_metrics(head, _scaled(holdout, 1 / served)),
        by_chance=by_chance(outputs, _DRAWS, settings.seed),
        reliability=_bins(outputs, holdout.truth),
    )


def _told(head: Head, folds: Sequence[Answers], place: int) -> FoldCalibration:
    fold, fitted = folds[place], _by_others(head, folds, place)
    return FoldCalibration(
        temperature=fitted,
        n=len(fold.truth),
        before=_metrics(head, fold),
        after=_metrics(head, _scaled(fold, fitted)),
    )


def _by_others(head: Head, folds: Sequence[Answers], place: int) -> float:
    return temperature(head, [fold for i, fold in enumerate(folds) if i != place])


def _scaled(answers: Answers, fitted: float) -> Answers:
    if fitted == _NONE:
        return answers
    scaled = scale(answers.outputs[NETWORK], fitted)
    return replace(answers, outputs={**answers.outputs, NETWORK: scaled})


def _metrics(head: Head, answers: Answers) -> dict[str, float]:
    outputs = answers.outputs[NETWORK]
    return {name: float(metric(answers.truth, outputs)) for name, metric in head.metrics.items()}


def _bins(outputs: Array, truth: Array) -> tuple[ReliabilityBin, ...]:
    return tuple(
        ReliabilityBin(
            n=each.n,
            low=each.low,
            high=each.high,
            confidence=each.confidence,
            accuracy=each.accuracy,
        )
        for each in reliability(outputs, truth)
    )
