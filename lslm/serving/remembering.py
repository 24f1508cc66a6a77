"""How unexpected texts are to a language model that remembers what it has read: a continuous cache.

Each text is read from nothing, as without a cache; only the words that came, and the states they came
after, are remembered from text to text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lslm.heads.language_model.cache import Cache, chosen, costs
from lslm.serving.perplexities import Perplexities
from lslm.serving.writing import Told, Writer

WINDOW = 2000
"""Tokens that are remembered."""


@dataclass(frozen=True)
class Remembered:
    """Texts with what they cost one behind another."""

    cache: Cache
    perplexities: Perplexities


def score_remembering(folder: Path, texts: Sequence[str], held_out: Sequence[str]) -> Remembered:
    """Score texts in their order with the cache that suits the held-out ones best."""
    writer = Writer.load(folder)
    chosen_on = _joined([writer.told(text) for text in held_out])
    cache = chosen(chosen_on.nats, chosen_on.states, chosen_on.ids, WINDOW)
    each = [writer.told(text) for text in texts]
    whole = _joined(each)
    nats = costs(cache, whole.nats, whole.states, whole.ids)
    ends = np.cumsum([len(told.nats) for told in each])
    return Remembered(cache, Perplexities.of(np.split(nats, ends[:-1])))


def _joined(told: Sequence[Told]) -> Told:
    return Told(
        np.concatenate([each.nats for each in told]),
        np.concatenate([each.states for each in told]),
        np.concatenate([each.ids for each in told]),
    )
