"""How unexpected texts are to a language model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lslm import heads
from lslm.errors import InputError
from lslm.serving.predictor import Predictor

_SHOWN = 40
"""Characters of a text in a message."""


@dataclass(frozen=True)
class Scored:
    """Texts with what they cost."""

    lines: tuple[dict[str, Any], ...]
    """Of each text `perplexity`, `tokens` (its end among them) and `nats`."""
    n_tokens: int
    perplexity: float
    """Of a token, over all texts together."""


def score_lines(folder: Path, texts: Sequence[str]) -> Scored:
    """Score each text on its own; InputError for a model that is no language model, and for a text that training
    would have rejected as too long: memory grows with its tokens.
    """
    predictor = Predictor.load(folder)
    if not heads.get(predictor.description.head.kind).writes:
        raise InputError(
            f"the model {predictor.description.name!r} is no language model",
            right="a model of the head 'language-model'",
        )
    most = predictor.description.cleaning.max_characters
    for text in texts:
        # Training measures what cleaning leaves.
        if (n := len(predictor.cleaned(text))) > most:
            raise InputError(
                f"{n:,} characters in one line",
                where=f"the line that begins {text[:_SHOWN]!r}",
                right=f"lines of at most {most:,} characters (cleaning.max_characters)",
            )
    answers = predictor.predict(texts)
    n_tokens = sum(answer["tokens"] for answer in answers)
    nats = sum(answer["nats"] for answer in answers)
    return Scored(tuple(answers), n_tokens, math.exp(nats / n_tokens))
