"""Which system is put forward: the network, or a baseline that does better on the folds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import calibrated
from lslm.evaluation.pooling import pool
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Head


def best_system(head: Head, folds: Sequence[Answers]) -> str:
    """The system with the best goal over all folds, among the network and baselines that can be kept.

    The network where they are equal. The holdout has no say.
    """
    pooled = pool(head, calibrated(head, folds))
    sign = 1 if head.goal.direction == "maximize" else -1
    systems = [NETWORK, *(name for name in pooled.outputs if name in head.kept)]
    means = [
        sign * float(head.example_scores(pooled.truth, pooled.outputs[name]).mean())
        for name in systems
    ]
    return systems[int(np.argmax(means))]


def in_place_of_network(folds: Sequence[Answers], system: str) -> list[Answers]:
    """The folds as if the baseline's answers were the network's: what is fitted on them fits it."""
    return [
        replace(fold, outputs={**fold.outputs, NETWORK: fold.outputs[system]}) for fold in folds
    ]


def as_served(head: Head, folds: Sequence[Answers], system: str) -> list[Answers]:
    """The folds as network and `system` would answer if they were served, each scaled like the other."""
    its = calibrated(head, in_place_of_network(folds, system))
    return [
        replace(fold, outputs={**fold.outputs, system: own.outputs[NETWORK]})
        for fold, own in zip(calibrated(head, folds), its, strict=True)
    ]
