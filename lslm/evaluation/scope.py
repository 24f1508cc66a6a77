"""Documents that belong to none of the classes: how many are told apart, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import calibrated
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import OutOfScope, ScopeScores
from lslm.evaluation.scoring import NETWORK, mean_of_some, mean_score
from lslm.heads.contract import Array, Head
from lslm.settings import EvaluationSettings
from lslm.statistics.abstention import scope_threshold


@dataclass(frozen=True)
class Strangers:
    """Documents of no class."""

    outputs: Array
    """What the model answers, `(n, n_classes)`."""
    groups: Array | None = None
    """Number of each one's group, `(n,)`."""


def threshold(head: Head, folds: Sequence[Answers], outside: Array) -> float:
    """Where documents of no class are told apart best, `outside` being the model's answers for some.

    In-scope answers are those of the folds, calibrated: like the others, of networks that never saw
    the documents.
    """
    pooled = pool(head, calibrated(head, folds))
    return scope_threshold(pooled.outputs[NETWORK], pooled.truth, outside)


def by_threshold(
    label: str,
    below: float,
    folds: Answers,
    holdout: Answers,
    outside: tuple[Strangers, Strangers],
    settings: EvaluationSettings,
) -> OutOfScope:
    """For a model that never saw such documents; `outside` are its answers for them, by part.

    The threshold was chosen on the development set: what it does there is a little optimistic.
    """
    return OutOfScope(
        label=label,
        below=below,
        development=_rejecting(folds, outside[0], below, settings),
        holdout=_rejecting(holdout, outside[1], below, settings),
    )


def as_class(
    label: str,
    labels: Sequence[str],
    folds: Answers,
    holdout: Answers,
    settings: EvaluationSettings,
) -> OutOfScope:
    """For a model that learned them as a class of their own."""
    place = list(labels).index(label)
    return OutOfScope(
        label=label,
        below=None,
        development=_choosing(folds, place, settings),
        holdout=_choosing(holdout, place, settings),
    )


def _rejecting(
    inside: Answers, outside: Strangers, below: float, settings: EvaluationSettings
) -> ScopeScores:
    outputs = inside.outputs[NETWORK]
    right = (outputs.argmax(axis=1) == inside.truth) & (outputs.max(axis=1) >= below)
    accuracy = mean_score(right.astype(np.float64), settings, inside.groups)
    if not len(outside.outputs):
        return ScopeScores(accuracy=accuracy, recall=None)
    rejected = (outside.outputs.max(axis=1) < below).astype(np.float64)
    return ScopeScores(accuracy=accuracy, recall=mean_score(rejected, settings, outside.groups))


def _choosing(answers: Answers, place: int, settings: EvaluationSettings) -> ScopeScores:
    said, inside = answers.outputs[NETWORK].argmax(axis=1), answers.truth != place
    right = (said == answers.truth).astype(np.float64)
    return ScopeScores(
        accuracy=mean_score(right[inside], settings, answers.of_group(inside)),
        recall=mean_of_some(right, ~inside, answers, settings),
    )
