"""Perplexities of texts and of all of them together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Perplexities:
    """Of a token."""

    each: tuple[float, ...]
    """Of each text, its end among its tokens."""
    together: float
    """Over all texts."""

    @classmethod
    def of(cls, nats: Sequence[NDArray[Any]]) -> "Perplexities":
        """From what each token of each text cost, in nats.

        Example:
            >>> found = Perplexities.of([np.log([2, 8]), np.log([9])])
            >>> [round(one, 6) for one in found.each], round(found.together, 6)
            ([4.0, 9.0], 5.241483)
        """
        means = [float(each.mean()) for each in (*nats, np.concatenate(nats))]
        *each, together = map(math.exp, means)
        return cls(tuple(each), together)
