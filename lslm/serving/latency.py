"""How long an answer takes, measured on a model as it is served."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lslm.serving.predictor import Predictor

_DOCUMENTS, _WARM = 200, 10


@dataclass(frozen=True)
class Latency:
    """Milliseconds from text to answer, one document at a time, on the machine of the run."""

    median: float
    p95: float
    """Of 100 documents 95 are answered within it."""
    n: int


def measure(predictor: Predictor, texts: Sequence[str]) -> Latency:
    """Time up to 200 documents, spread evenly over `texts`, after ten that warm it up."""
    places = np.linspace(0, len(texts) - 1, min(_DOCUMENTS, len(texts)))
    asked = [texts[int(place)] for place in places]
    for text in asked[:_WARM]:
        predictor.predict([text])
    taken = [_milliseconds(predictor, text) for text in asked]
    median, p95 = np.quantile(taken, [0.5, 0.95])
    return Latency(float(median), float(p95), len(taken))


def _milliseconds(predictor: Predictor, text: str) -> float:
    began = time.perf_counter()
    predictor.predict([text])
    return (time.perf_counter() - began) * 1000
