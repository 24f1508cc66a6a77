"""A seed for each random layer, so that a network is the same bit for bit in any thread or order."""

import numpy as np


def layer_seeds(seed: int, owner: str, n: int) -> tuple[int, ...]:
    """`n` seeds that differ from each other and from those of any other owner.

    Example:
        >>> layer_seeds(0, "classify", 2) == layer_seeds(0, "classify", 2)
        True
    """
    state = np.random.SeedSequence([seed, *owner.encode()]).generate_state(n)
    return tuple(int(word) & 0x7FFF_FFFF for word in state)
