"""Which documents are timed, and what of an answer."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from lslm.serving import latency
from lslm.serving.predictor import Predictor


class Asked(Predictor):
    """Answers nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def predict(
        self, texts: Sequence[str], attention: bool = False, batch_size: int = 64
    ) -> list[dict[str, Any]]:
        self.texts += texts
        return []


@pytest.mark.parametrize(("n", "timed"), [(1, 1), (7, 7), (200, 200), (399, 200), (10_001, 200)])
def test_timed_documents_are_spread_over_all(n: int, timed: int) -> None:
    asked = Asked()
    assert latency.measure(asked, [str(number) for number in range(n)]).n == timed
    places = [int(text) for text in asked.texts[min(10, timed) :]]
    assert len(set(places)) == timed
    assert (places[0], places[-1]) == (0, n - 1)
    steps = {after - before for before, after in pairwise(places)}
    assert not steps or max(steps) - min(steps) <= 1
