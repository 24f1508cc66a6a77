"""The threshold below which the model abstains: chosen on the folds, judged on the holdout."""

from collections.abc import Sequence

import numpy as np

from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import calibrated
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import Abstention
from lslm.evaluation.scoring import NETWORK, mean_of_some, mean_score
from lslm.heads.contract import Head
from lslm.settings import EvaluationSettings
from lslm.statistics.abstention import threshold_for


def threshold(head: Head, folds: Sequence[Answers], wanted: float | None) -> float | None:
    """The lowest threshold whose calibrated out-of-fold answers are right as often as wanted.

    None where nothing is wanted, nothing reaches it, or the head has no classes.
    """
    if wanted is None or head.classes is None:
        return None
    pooled = pool(head, calibrated(head, folds))
    return threshold_for(pooled.outputs[NETWORK], pooled.truth, wanted)


def abstention(
    head: Head, holdout: Answers, below: float | None, settings: EvaluationSettings
) -> Abstention | None:
    """How much of the holdout is answered, and how often rightly; None where nothing was wanted."""
    if settings.wanted_accuracy is None or head.classes is None:
        return None
    outputs = holdout.outputs[NETWORK]
    answered = outputs.max(axis=1) >= (below or 0.0)
    right = (outputs.argmax(axis=1) == holdout.truth).astype(np.float64)
    return Abstention(
        wanted=settings.wanted_accuracy,
        below=below,
        coverage=mean_score(answered.astype(np.float64), settings, holdout.groups),
        accuracy=mean_of_some(right, answered, holdout, settings),
    )
