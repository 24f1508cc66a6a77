"""A continuous cache: words that came lately after states like this one are likelier (Grave et al. 2017).

p(w) = (1 - share) p_model(w) + share p_cache(w), and p_cache(w) of a token is in proportion to the sum of
exp(flatness h_t . h_i) over the last `window` tokens i that were followed by w (equations 2 to 4 there).
Before the first token there is nothing to remember: there the model answers alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lslm.text.vocabulary import Ids

Floats = NDArray[np.floating]

FLATNESSES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
SHARES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
_BLOCK = 256
"""Tokens that are compared with what came before them at once."""


@dataclass(frozen=True)
class Cache:
    """How much is remembered, and how much it counts."""

    window: int
    """Tokens that are remembered."""
    flatness: float
    """Large: only states very alike count. 0: all that is remembered counts the same."""
    share: float
    """Of the cache in the answer; 0 is the model alone."""


def remembered(states: Floats, words: Ids, window: int, flatness: float) -> NDArray[np.float64]:
    """What the cache gives each of the words that came, `(n,)`; 0 for the first.

    `states` are those that each word was predicted from, `(n, units)`, in the order of the text.

    Example:
        >>> remembered(np.zeros((3, 2)), np.array([5, 6, 5]), 9, 1.0).tolist()
        [0.0, 0.0, 0.5]
    """
    found = np.zeros(len(words))
    for start in range(0, len(words), _BLOCK):
        stop = min(start + _BLOCK, len(words))
        first = max(0, start - window)
        likeness = flatness * (states[start:stop] @ states[first:stop].T).astype(np.float64)
        # How far back each of them is, by row: only what came before counts, and not for ever.
        back = np.arange(start, stop)[:, None] - np.arange(first, stop)[None]
        likeness[(back < 1) | (back > window)] = -np.inf
        highest = likeness.max(axis=1, keepdims=True)
        weights = np.exp(likeness - np.where(np.isfinite(highest), highest, 0))
        same = words[start:stop, None] == words[None, first:stop]
        total = weights.sum(axis=1)
        found[start:stop] = (weights * same).sum(axis=1) / np.where(total > 0, total, 1)
    return found


def mixed(nats: Floats, from_cache: Floats, share: float) -> NDArray[np.float64]:
    """What each token costs with the cache, `(n,)`, from what it costs the model and what the cache gives it.

    Example:
        >>> mixed(np.log([2, 4]), np.array([0.0, 0.75]), 0.5).round(3).tolist()
        [0.693, 0.693]
    """
    chances = (1 - share) * np.exp(-np.asarray(nats, np.float64)) + share * from_cache
    # The first token has nothing before it.
    chances[:1] = np.exp(-nats[:1])
    return -np.log(chances)


def costs(cache: Cache, nats: Floats, states: Floats, words: Ids) -> NDArray[np.float64]:
    """What each token costs with the cache, `(n,)`."""
    return mixed(nats, remembered(states, words, cache.window, cache.flatness), cache.share)


def chosen(
    nats: Floats,
    states: Floats,
    words: Ids,
    window: int,
    flatnesses: Sequence[float] = FLATNESSES,
    shares: Sequence[float] = SHARES,
) -> Cache:
    """The cache that makes a text cheapest: to be asked of held-out text, never of the one to be scored."""
    best = Cache(window, flatnesses[0], 0.0)
    least = float(np.mean(nats))
    for flatness in flatnesses:
        from_cache = remembered(states, words, window, flatness)
        for share in shares:
            cost = float(mixed(nats, from_cache, share).mean())
            if cost < least:
                best, least = Cache(window, flatness, share), cost
    return best
