"""How unexpected texts are to a language model that goes on learning from them: dynamic evaluation. Needs Keras.

Each text is read from nothing, as ever, and scored before it is learned from; what was learned goes on from text
to text, and is forgotten in the end (Krause, Kahembwe, Murray & Renals 2018). The model folder stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lslm.heads.language_model._dynamic import Pace, chosen, dynamic_nats, filled, mean_roots
from lslm.heads.language_model._reading import with_state
from lslm.serving.model_files import load_members
from lslm.serving.perplexities import Perplexities
from lslm.serving.writing import Writer

STEPS = 20
"""Tokens that are scored together, and then learned from."""


@dataclass(frozen=True)
class Adapted:
    """Texts with what they cost one behind another."""

    pace: Pace
    perplexities: Perplexities


def score_adapting(folder: Path, texts: Sequence[str], held_out: Sequence[str]) -> Adapted:
    """Score texts in their order at the pace that suits the held-out ones best.

    How large gradients usually are is also read from the held-out texts: a model folder has none of its training
    text. Members each learn for themselves, at the pace that suits the first; their nats are averaged. InputError
    for a model that is no language model, or whose folder was written without its networks.
    """
    writer = Writer.load(folder)
    mark = writer.mark
    scored, chosen_on = ([writer.encoded(text)[1:] for text in each] for each in (texts, held_out))
    pace, nats = None, []
    for member in load_members(folder):
        reader = with_state(member)
        roots = mean_roots(
            reader, (piece for ids in chosen_on for piece in filled(ids, mark, STEPS))
        )
        pace = pace or chosen(reader, chosen_on, mark, roots, STEPS)
        nats.append(dynamic_nats(reader, scored, mark, pace, roots, STEPS))
    assert pace is not None, "a folder has a member"
    means = [np.mean(each, axis=0) for each in zip(*nats, strict=True)]
    return Adapted(pace, Perplexities.of(means))
