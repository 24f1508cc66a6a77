"""What scoring takes: metrics and their bootstraps, for each system and document."""

import time
from pathlib import Path

from lslm import heads
from lslm.costing.rates import Line
from lslm.evaluation.answers import Answers
from lslm.evaluation.scoring import NETWORK, score_systems
from lslm.heads.contract import Array
from lslm.settings import Settings
from lslm.training.parts import Part

_SYSTEMS = (NETWORK, "a baseline")


def seconds(settings: Settings, outputs: Array, part_folder: Path) -> Line:
    """Seconds by documents times systems, from answers of all and of half the rows held back."""
    part, head = Part(part_folder), heads.get(settings.head.kind)
    truth = part.validation.targets
    sizes = [max(1, len(truth) // 2), len(truth)]
    took: list[float] = []
    for n in sizes:
        answers = Answers(truth[:n], dict.fromkeys(_SYSTEMS, outputs[:n]), part.targets, {})
        began = time.process_time()
        score_systems(head, answers, settings.evaluation)
        took.append(time.process_time() - began)
    n_more = len(_SYSTEMS) * (sizes[1] - sizes[0])
    each = max(0.0, took[1] - took[0]) / max(1, n_more)
    return Line(fixed=max(0.0, took[1] - each * len(_SYSTEMS) * sizes[1]), each=each)
