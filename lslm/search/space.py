"""What is searched: dotted setting names, each with choices or a range."""

import math
from collections.abc import Sequence
from typing import Any

import optuna

from lslm.heads.contract import Head
from lslm.search.bounds import Bound
from lslm.settings import Hyperparameters, Range, SearchSpace

# Batch size governs speed and stays out; recurrent layers keep tanh and sigmoid, the fused kernel.
DEFAULT: SearchSpace = {
    "encoder.cell": ("lstm", "gru"),
    "encoder.layers": Range(low=1, high=3),
    "encoder.bidirectional": (True, False),
    "encoder.units": (64, 96, 128),
    "encoder.pooling": ("attention", "max", "last", "attention+max"),
    "encoder.tuned_words": (0, 2000, 8000),
    "encoder.embedding_dropout": Range(low=0.0, high=0.3, step=0.1),
    "encoder.spatial_dropout": Range(low=0.1, high=0.5, step=0.1),
    "encoder.recurrent_dropout": Range(low=0.0, high=0.4, step=0.1),
    "encoder.ngrams": (1, 2, 3),
    "training.weight_decay": Range(low=1e-5, high=1e-1, log=True),
    "training.learning_rate": Range(low=5e-4, high=1e-2, log=True),
    "training.schedule": ("constant", "cosine", "linear"),
}

# What each measure of a served model hangs on most. int8 moves probabilities by 0.003 at most (docs/log.md).
BOUNDED: dict[str, SearchSpace] = {
    "size_mb": {
        "encoder.max_words": Range(low=500, high=64_000, log=True),
        "encoder.vector_units": Range(low=32, high=192, step=32),
        "encoder.stored": ("int8",),
    },
    "latency_ms": {"encoder.units": (16, 32, 64, 96, 128)},
}


def of(
    head: Head,
    given: SearchSpace | None,
    bounds: Sequence[Bound] = (),
    settled: Sequence[str] = (),
) -> SearchSpace:
    """The space as the settings give it, or the encoder's and the head's together.

    Where a measure is bounded, names that it hangs on join; those that the settings name stay as they are there.
    Names that are `settled`, as by a pretrained layer, are left out of what the settings do not name.
    """
    bounded = {name: each for bound in bounds for name, each in BOUNDED[bound.measure].items()}
    joining = _open(head, bounded, settled)
    if given is None:
        return {**_open(head, DEFAULT, settled), **head.space, **joining}
    return {**given, **{name: each for name, each in joining.items() if name not in given}}


def _open(head: Head, space: SearchSpace, settled: Sequence[str]) -> SearchSpace:
    """The names that the head reads, and may have at more than one value."""
    closed = {*head.unused, *head.needs, *settled}
    return {name: each for name, each in space.items() if name not in closed}


def suggest(trial: optuna.Trial, space: SearchSpace) -> dict[str, Any]:
    """One value for each name."""
    return {name: _suggest(trial, name, choices) for name, choices in space.items()}


def grid(space: SearchSpace) -> dict[str, list[Any]]:
    """Every choice of every name; a range needs a `step` or whole-number bounds."""
    return {name: _choices(name, choices) for name, choices in space.items()}


def n_points(space: SearchSpace) -> int:
    """Points of its grid."""
    return math.prod(len(choices) for choices in grid(space).values())


def start(hyperparameters: Hyperparameters, space: SearchSpace) -> dict[str, Any]:
    """The settings as they stand, as the first point; names whose value the space lacks are left out."""
    values = hyperparameters.model_dump()
    named = ((name, *name.split(".")) for name in space)
    stand = {name: values[section].get(field) for name, section, field in named}
    return within(stand, space)


def within(values: dict[str, Any], space: SearchSpace) -> dict[str, Any]:
    """Those of the values that the space has."""
    return {
        name: value
        for name, value in values.items()
        if name in space and _contains(name, space[name], value)
    }


def _suggest(trial: optuna.Trial, name: str, choices: Range | tuple[Any, ...]) -> Any:
    if not isinstance(choices, Range):
        return trial.suggest_categorical(name, choices)
    if _whole(name, choices):
        return trial.suggest_int(
            name, int(choices.low), int(choices.high), step=int(choices.step or 1), log=choices.log
        )
    return trial.suggest_float(name, choices.low, choices.high, step=choices.step, log=choices.log)


def _choices(name: str, choices: Range | tuple[Any, ...]) -> list[Any]:
    if not isinstance(choices, Range):
        return list(choices)
    step = choices.step or 1.0
    if not _whole(name, choices) and choices.step is None:
        step = choices.high - choices.low or 1.0
    # Down: what is left of a range that is no multiple of its step is no step. Up to what floats lose.
    n_steps = math.floor((choices.high - choices.low) / step + 1e-9)
    values = [round(choices.low + i * step, 10) for i in range(n_steps + 1)]
    return [int(value) for value in values] if _whole(name, choices) else values


def _contains(name: str, choices: Range | tuple[Any, ...], value: Any) -> bool:
    if not isinstance(choices, Range):
        return value in choices
    on_grid = not choices.step or round((value - choices.low) / choices.step, 6).is_integer()
    return choices.low <= value <= choices.high and on_grid


def _whole(name: str, choices: Range) -> bool:
    """Whether a range is one of whole numbers; those of a head say so by their bounds and step."""
    section, field = name.split(".")
    if section == "head":
        return all(
            float(each).is_integer() for each in (choices.low, choices.high, choices.step or 0.5)
        )
    return isinstance(getattr(getattr(Hyperparameters(), section), field), int)
