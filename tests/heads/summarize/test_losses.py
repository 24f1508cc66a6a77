"""What a sentence is worth goes by its document, also where that has several rows."""

import numpy as np
import pytest

from lslm.heads.ragged import ragged
from lslm.heads.summarize._losses import SentenceLoss
from lslm.heads.summarize.grid import WINDOW, Grid

N = WINDOW + 6


def losses(objective: str, outputs: np.ndarray) -> np.ndarray:
    """Of both rows of a document whose first sentence is by far its best."""
    truth = ragged([{"gains": [0.5] + [0.02] * (N - 1), "labels": [1] + [0] * (N - 1)}])
    inputs = {"tokens": np.zeros((2, WINDOW, 1))}
    packed = Grid().targets(truth, inputs)
    return np.asarray(SentenceLoss(objective, reduction="none")(packed, outputs))


@pytest.mark.parametrize("objective", ["hard", "soft"])
def test_the_best_of_a_late_part_is_not_taken_for_a_good_one(objective: str) -> None:
    low, high = (np.full((2, WINDOW, 1), value, np.float32) for value in (0.05, 0.95))
    assert losses(objective, low)[1] < losses(objective, high)[1] / 10


def test_a_part_far_behind_the_best_is_hardly_ranked() -> None:
    said = np.linspace(0.1, 0.9, 2 * WINDOW, dtype=np.float32).reshape(2, WINDOW, 1)
    first, second = losses("ranking", said)
    assert second < first / 1000
