"""What networks of the search space take, each measured in a training process."""

import json
from pathlib import Path

from lslm.costing import drawing, networks
from lslm.costing.networks import Measured
from lslm.costing.rates import NetworkRate
from lslm.costing.timing import at_once
from lslm.heads.contract import Array
from lslm.settings import Settings
from lslm.training.workers import Workers

_NETWORKS = 4
"""Networks of different size that are timed, at most."""
_SECONDS = 1.2
"""Of each, after its first epoch."""


def measured(
    part: Path, settings: Settings, folder: Path, processes: Workers
) -> tuple[NetworkRate, Array]:
    """Rates of training, and answers for the part's rows held back; `0.keras` is left below `folder`."""
    n_words = len(json.loads((part / "vocabulary.json").read_text("utf-8")))
    tried = [drawing.start(settings), *drawing.draws(settings)]
    embedding = networks.embedding_of(settings)
    chosen = networks.different(tried, embedding, n_words, _NETWORKS)
    saves = [folder / f"{number}.keras" for number in range(len(chosen))]
    found: list[Measured] = at_once(
        processes,
        [
            {
                "function": "lslm.costing.training:network_seconds",
                "part_folder": part,
                "head_kind": settings.head.kind,
                "hyperparameters": each,
                "seconds": _SECONDS,
                "save": save,
            }
            for each, save in zip(chosen, saves, strict=True)
        ],
    )
    answered = processes.run(
        "lslm.costing.training:answering_seconds",
        part_folder=part,
        head_kind=settings.head.kind,
        measured=found[0],
        seconds=_SECONDS,
    )
    rate = networks.fitted(
        found,
        embedding,
        begin=answered.begin,
        answer=answered.answer,
        score=answered.score,
    )
    return rate, answered.outputs
