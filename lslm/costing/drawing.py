"""Hyperparameters that a search may try: draws from its space, with no knowledge of what is good."""

import math
import random
from typing import Any

from lslm import heads
from lslm.pretraining.recipe import SETTLED
from lslm.search import bounds
from lslm.search import space as spaces
from lslm.settings import Hyperparameters, Range, SearchSpace, Settings

N_DRAWS = 200


def start(settings: Settings) -> Hyperparameters:
    """The settings as they stand: what the search tries first."""
    options = heads.options(settings.head).model_dump(mode="json")
    return Hyperparameters(encoder=settings.encoder, training=settings.training, head=options)


def draws(settings: Settings, n: int = N_DRAWS) -> list[Hyperparameters]:
    """What trials of the search may be, the same for the same settings; without a search, the start."""
    base = start(settings)
    if not settings.search.n_trials:
        return [base]
    space = _space(settings)
    chance = random.Random(settings.search.seed)
    return [base.replaced(_drawn(space, chance)) for _ in range(n)]


def searched(settings: Settings) -> tuple[str, ...]:
    """Names that the search may change."""
    return tuple(_space(settings)) if settings.search.n_trials else ()


def n_trials(settings: Settings) -> int:
    """Trials that the search may finish; a grid ends when all of it was tried."""
    search = settings.search
    if search.sampler != "grid" or not search.n_trials:
        return search.n_trials
    return min(search.n_trials, spaces.n_points(_space(settings)))


def _space(settings: Settings) -> SearchSpace:
    settled = SETTLED if settings.pretraining.language_model else ()
    head, search = heads.get(settings.head.kind), settings.search
    return spaces.of(head, search.space, bounds.of(search), settled)


def _drawn(space: SearchSpace, chance: random.Random) -> dict[str, Any]:
    return {name: _value(name, choices, chance) for name, choices in space.items()}


def _value(name: str, choices: Range | tuple[Any, ...], chance: random.Random) -> Any:
    if not isinstance(choices, Range):
        return chance.choice(choices)
    steps = spaces.grid({name: choices})[name]
    whole = all(isinstance(step, int) for step in steps)
    if choices.log:
        drawn = math.exp(chance.uniform(math.log(choices.low), math.log(choices.high)))
        return round(drawn) if whole else drawn
    if whole or choices.step is not None:
        return chance.choice(steps)
    return chance.uniform(choices.low, choices.high)
