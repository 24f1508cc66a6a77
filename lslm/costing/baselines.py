"""What baselines take: fitting, which may grow faster than the documents, and answering."""

import json
from pathlib import Path

import numpy as np

from lslm import heads
from lslm.costing import timing
from lslm.costing.parts import PART
from lslm.costing.rates import BaselineRate, Growing
from lslm.costing.samples import Chosen, Sample
from lslm.costing.timing import at_once
from lslm.settings import Settings
from lslm.text.store import Rows
from lslm.training.workers import Workers

_STEEPEST = 1.5
"""Power of the documents above which no baseline grows; two small sizes may say more by chance."""


def baselines(
    corpus: Sample, chosen: Chosen, settings: Settings, folder: Path, processes: Workers
) -> dict[str, BaselineRate]:
    """Rates of each baseline that is fitted beside networks."""
    kind = heads.get(settings.head.kind)
    wanted = settings.evaluation.baselines
    names = tuple(kind.baselines) if wanted is None else wanted
    targets = json.loads((folder / PART / "targets.json").read_text("utf-8"))
    few, many = chosen.training
    held = chosen.validation
    half = held[: max(1, len(held) // 2)]
    # The first call loads libraries.
    sizes = [(few[:50], half[:2]), (few, half), (many, half), (many, held)]
    calls = [
        {
            "function": timing.baseline_seconds,
            "head_kind": settings.head.kind,
            "name": name,
            "documents": corpus.documents,
            "sizes": sizes,
            "targets": targets,
        }
        for name in names
    ]
    took = at_once(processes, calls)
    return {
        name: _rate(each[1:], few, many, half, held) for name, each in zip(names, took, strict=True)
    }


def _rate(took: list[float], few: Rows, many: Rows, half: Rows, held: Rows) -> BaselineRate:
    """From seconds with few and half, many and half, many and all held."""
    answer = max(0.0, took[2] - took[1]) / max(1, len(held) - len(half))
    small, large = (max(1e-6, each - answer * len(half)) for each in took[:2])
    power = np.log(large / small) / np.log(len(many) / len(few))
    return BaselineRate(
        fit=Growing(n=len(many), seconds=large, power=float(np.clip(power, 0.0, _STEEPEST))),
        answer=answer,
    )
