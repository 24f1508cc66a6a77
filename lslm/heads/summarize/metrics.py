"""How good summaries are, one value a document from its truth and its sentences' scores."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lslm.heads.contract import Array
from lslm.heads.summarize.options import Length
from lslm.heads.summarize.rouge import Rouge, best
from lslm.heads.summarize.selection import choose, joined


def places(truth: dict[str, Any], scores: Array) -> list[int]:
    """Places of the sentences that these scores choose."""
    length = Length.model_validate(truth["length"])
    return choose(truth["sentences"], scores, length, truth["language"])


def _each(of: Callable[[dict[str, Any], list[int]], float]) -> Callable[[Array, Array], Array]:
    """A score a document, made from its truth and the places chosen."""

    def scores(truth: Array, outputs: Array) -> Array:
        pairs = zip(truth, outputs, strict=True)
        return np.array([of(each, places(each, said)) for each, said in pairs], np.float64)

    return scores


def _rouge(truth: dict[str, Any], chosen: list[int]) -> Rouge:
    summary = joined(truth["sentences"], chosen)
    return best(summary, tuple(truth["references"]), truth["language"])


def _f1(truth: dict[str, Any], chosen: list[int]) -> float:
    """F1 of the chosen sentences against those of the best summary; 0 where none belongs to it."""
    right = {place for place, label in enumerate(truth["labels"]) if label}
    return 2 * len(right & set(chosen)) / (len(right) + len(chosen)) if right else 0.0


def _compression(truth: dict[str, Any], chosen: list[int]) -> float:
    """Words of the summary as a share of the document's."""
    counts = [len(sentence.split()) for sentence in truth["sentences"]]
    return sum(counts[place] for place in chosen) / max(1, sum(counts))


rouge1 = _each(lambda truth, chosen: _rouge(truth, chosen)[0])
rouge2 = _each(lambda truth, chosen: _rouge(truth, chosen)[1])
rouge_l = _each(lambda truth, chosen: _rouge(truth, chosen)[2])
sentence_f1 = _each(_f1)
compression = _each(_compression)
