"""Answers whose calibration is known, and the documents they belong to."""

import numpy as np
import polars as pl

from lslm.evaluation.answers import Answers
from lslm.statistics.calibration import scale


def answers(
    n: int, temperature: float, seed: int = 0, labels: tuple[str, ...] = ("a", "b", "c")
) -> Answers:
    """Truths drawn from probabilities, which are then told too surely: `temperature` mends them."""
    rng = np.random.default_rng(seed)
    honest = rng.dirichlet(np.full(len(labels), 0.7), n)
    truth = np.array([rng.choice(len(labels), p=row) for row in honest])
    outputs = {"network": scale(honest, 1 / temperature), "majority": honest}
    return Answers(truth, outputs, {"labels": list(labels)}, {})


def documents(given: Answers) -> pl.DataFrame:
    """A document an answer."""
    n = len(given.truth)
    return pl.DataFrame(
        {
            "text": [f"text {row} " + "x" * (row % 30) for row in range(n)],
            "label": [given.targets["labels"][place] for place in given.truth],
            "source": ["one.csv"] * n,
            "row": list(range(1, n + 1)),
        }
    )
