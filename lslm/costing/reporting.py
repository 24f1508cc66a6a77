"""What scoring takes: metrics and their bootstraps, for each system and document."""

import time
from pathlib import Path

import numpy as np

from lslm import heads
from lslm.costing.rates import Line
from lslm.evaluation.answers import Answers
from lslm.evaluation.scoring import NETWORK, score_systems
from lslm.heads.contract import Array
from lslm.heads.ragged import ragged
from lslm.settings import Settings
from lslm.training.parts import Part


def seconds(settings: Settings, outputs: Array, part_folder: Path) -> Line:
    """Seconds by documents times systems, from answers for a quarter of the rows held back and for a half.

    Another quarter goes first and loads what is needed. Heads remember what they scored, so no document and no
    answer is the same twice.
    """
    part, head = Part(part_folder), heads.get(settings.head.kind)
    truth, systems = part.validation.targets, {NETWORK: outputs, "a baseline": _other(outputs)}

    def scored(rows: slice) -> float:
        said = {name: each[rows] for name, each in systems.items()}
        answers = Answers(truth[rows], said, part.targets, {})
        began = time.process_time()
        score_systems(head, answers, settings.evaluation)
        return time.process_time() - began

    quarter = len(truth) // 4
    if not quarter:
        return Line(fixed=scored(slice(None)), each=0.0)
    first, second = scored(slice(quarter)), scored(slice(quarter, 2 * quarter))
    more = scored(slice(2 * quarter, 4 * quarter)) - second
    each = max(0.0, more) / (len(systems) * quarter)
    return Line(fixed=max(0.0, first - each * len(systems) * quarter), each=each)


def _other(outputs: Array) -> Array:
    """Answers as another system might give them: classes, or the scores of sentences, the other way round."""
    if outputs.dtype == object:
        return ragged([-np.asarray(each) for each in outputs])
    return np.flip(outputs, axis=-1)
