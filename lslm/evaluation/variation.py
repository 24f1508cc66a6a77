"""How much the score depends on the amount of data, and on the seed alone."""

from collections.abc import Sequence

import numpy as np

from lslm.evaluation.answers import Answers
from lslm.evaluation.report import CurvePoint, Gain, SeedSpread, Variation
from lslm.evaluation.scoring import NETWORK, mean_score
from lslm.heads.contract import Array, Head
from lslm.settings import EvaluationSettings
from lslm.statistics.significance import paired_bootstrap


def variation(
    head: Head,
    curve: Sequence[Answers],
    seeds: Sequence[Answers],
    settings: EvaluationSettings,
) -> Variation | None:
    """From answers for the same documents; the last of `curve` was trained on everything.

    None where nothing was varied.
    """
    if len(curve) < 2 and len(seeds) < 2:
        return None
    points = tuple(_point(head, answers, settings) for answers in curve)
    return Variation(
        curve=points if len(points) > 1 else (),
        gain=_gain(head, curve, settings) if len(points) > 1 else None,
        seeds=_spread(head, seeds) if len(seeds) > 1 else None,
    )


def _point(head: Head, answers: Answers, settings: EvaluationSettings) -> CurvePoint:
    return CurvePoint(
        n_training=answers.part["training"]["n"],
        systems={
            system: mean_score(
                head.example_scores(answers.truth, outputs), settings, answers.groups
            )
            for system, outputs in answers.outputs.items()
        },
    )


def _gain(head: Head, curve: Sequence[Answers], settings: EvaluationSettings) -> Gain:
    """What the last step of the curve brought the network."""
    less, more = (_scores(head, answers) for answers in curve[-2:])
    difference, low, high = paired_bootstrap(
        more, less, settings.resamples, settings.confidence, settings.seed, curve[-1].groups
    )
    return Gain(difference=difference, low=low, high=high, n=len(more))


def _spread(head: Head, seeds: Sequence[Answers]) -> SeedSpread:
    values = [float(_scores(head, answers).mean()) for answers in seeds]
    return SeedSpread(values=tuple(values), deviation=float(np.std(values, ddof=1)))


def _scores(head: Head, answers: Answers) -> Array:
    return head.example_scores(answers.truth, answers.outputs[NETWORK])
