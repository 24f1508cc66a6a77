"""What a finished run tells beyond its scores: calibration, abstention, slices, errors."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import polars as pl

from lslm.corpus import splitting
from lslm.evaluation.abstention import abstention
from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import calibrated, calibration
from lslm.evaluation.errors import errors
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import Abstention, Calibration, Errors, SliceScore
from lslm.evaluation.slices import Answered, slice_scores
from lslm.heads.contract import Head
from lslm.settings import EvaluationSettings, TextSettings


class Findings(TypedDict):
    """Fields of the run's report."""

    calibration: Calibration | None
    abstention: Abstention | None
    slices: tuple[SliceScore, ...]
    errors: Errors | None


def findings(
    head: Head,
    folds: Sequence[Answers],
    development: pl.DataFrame,
    holdout: Answered,
    *,
    temperature: float,
    abstain_below: float | None,
    text: TextSettings,
    least: int,
    settings: EvaluationSettings,
) -> Findings:
    """Everything from the answers of the folds, not yet scaled, and of the model as it is served.

    `least` is the smallest slice that is told.
    """
    pooled = pool(head, calibrated(head, folds))
    answered = Answered(held_back(development, settings), pooled)
    return Findings(
        calibration=calibration(head, folds, holdout.answers, temperature, settings),
        abstention=abstention(head, holdout.answers, abstain_below, settings),
        slices=slice_scores(head, answered, holdout, text, least, settings),
        errors=errors(head, pooled, answered.documents),
    )


def held_back(development: pl.DataFrame, settings: EvaluationSettings) -> pl.DataFrame:
    """The documents that folds were validated on, in the order in which folds are pooled."""
    cuts = splitting.folds(development, settings.folds, settings.seed)
    return development[np.concatenate([validation for _, validation in cuts])]
