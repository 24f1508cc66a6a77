"""What a model takes on its way out: its export, and its answers as it is served."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lslm.costing import drawing, timing
from lslm.costing.parts import PART
from lslm.costing.samples import Chosen, Sample
from lslm.serving import recipe as recipes
from lslm.serving.recipe import Recipe
from lslm.settings import Settings
from lslm.training.workers import Workers

_SQUARES = 200_000
"""Sum of squared lengths of the documents that are explained."""


@dataclass(frozen=True)
class Serving:
    """Seconds of a model."""

    assemble: float
    """Its export, with the pipeline's number of networks."""
    assemble_one: float
    answer: float
    """A document, by one network."""
    explain: float
    """A document of the usual length, its words left out one by one."""


def served(
    corpus: Sample, chosen: Chosen, settings: Settings, folder: Path, processes: Workers
) -> Serving:
    """From the network `0.keras` below `folder`."""
    members = settings.training.members
    recipe = Recipe(folder / PART, corpus.documents, settings.head, recipes.Serving.of(settings))
    took: dict[int, float] = {}
    for n in sorted({1, members}):
        took[n] = processes.run(
            "lslm.costing.training:assemble_seconds",
            folder=folder / f"model-{n}",
            members=[folder / "0.keras"] * n,
            recipe=recipe,
            hyperparameters=drawing.start(settings).replaced({"training.members": n}),
        )
    rows = chosen.validation[:200]
    texts: list[str] = timing.frame_of(corpus.documents, rows)["text"].to_list()
    longest = settings.training.max_tokens
    # A document of n words is asked about n times with its words left out.
    squares = np.minimum(np.diff(corpus.tokens.offsets), longest).astype(np.float64) ** 2
    n_explained = int(np.searchsorted(squares[rows].cumsum(), _SQUARES)) + 1
    asked = processes.run(
        timing.served_seconds, model=folder / "model-1", texts=texts, n_explained=n_explained
    )
    usual = squares.mean() / squares[rows[:n_explained]].mean()
    return Serving(took[members], took[1], asked.answer, asked.explain * float(usual))
