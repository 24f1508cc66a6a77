"""What a study came to: the best of its trials, in numbers and as a table."""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from lslm.search.bounds import Bound, kept, measured
from lslm.settings import Hyperparameters

EPOCHS = "epochs"
"""Attribute of a trial: epochs after which it was best."""
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_FEW = 8
"""Finished trials; with fewer, importances are noise."""
_IDLE = 0.02
"""Share of the variance; a parameter below it by every evaluator did not matter."""


@dataclass(frozen=True)
class Chosen:
    """What a finished study came to."""

    hyperparameters: Hyperparameters
    value: float | None
    """Of the goal on the validation part; optimistic, since it chose. None without trials."""
    n_complete: int
    n_pruned: int
    n_failed: int
    n_over: int
    """Trials over a bound, which is known before one is trained."""
    seconds: float
    """Spent searching, over all sessions."""
    trials: tuple[dict[str, Any], ...] = ()
    """Number, state, value, epochs and parameters of each; the finished ones first, the best first."""
    importances: dict[str, dict[str, float]] = field(default_factory=dict)
    """Share of the variance that each parameter explains, by evaluator; empty where trials are few."""
    idle: tuple[str, ...] = ()
    """Parameters that no evaluator saw matter: candidates to leave out of the space."""
    front: tuple[int, ...] = ()
    """Numbers of the trials that no other beats in every respect; empty where quality is the only goal."""
    bounds: dict[str, float] = field(default_factory=dict)
    """The most that each measure of a served model may come to."""

    def summary(self) -> dict[str, Any]:
        """The counts, the value and the time, as JSON."""
        values = dataclasses.asdict(self)
        del values["hyperparameters"]
        return values


def ranked(study: optuna.Study, bounds: Sequence[Bound]) -> list[FrozenTrial]:
    """Finished trials within the bounds, best first; of equals the smallest, then the earliest."""
    loss = _loss(study)
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    inside = [trial for trial in finished if kept(bounds, trial.user_attrs)]
    return sorted(inside, key=lambda trial: [loss(trial), *trial.values[1:]])


def told(study: optuna.Study, bounds: Sequence[Bound]) -> tuple[dict[str, Any], ...]:
    """A row a trial: those within the bounds, the best first, then those over them, then pruned ones."""
    best = ranked(study, bounds)
    ended = study.get_trials(deepcopy=False, states=_ENDED)
    others = [trial for trial in ended if trial not in best]
    others.sort(key=lambda trial: (not is_over(trial, bounds), trial.number))
    return tuple(_row(trial, bounds) for trial in (*best, *others))


def is_over(trial: FrozenTrial, bounds: Sequence[Bound]) -> bool:
    """Whether an ended trial is over a bound."""
    return trial.state in _ENDED and not kept(bounds, trial.user_attrs)


def front(study: optuna.Study, bounds: Sequence[Bound]) -> tuple[int, ...]:
    """Numbers of the trials within the bounds that no other beats in every respect, by quality."""
    if not bounds:
        return ()
    best = {trial.number for trial in study.best_trials}
    return tuple(trial.number for trial in ranked(study, bounds) if trial.number in best)


def importances(study: optuna.Study, n_complete: int, seed: int) -> dict[str, dict[str, float]]:
    """Two evaluators: they disagree where trials are few, and one alone would hide it.

    Where there are goals beside quality, both explain quality.
    """
    if n_complete < _FEW:
        return {}
    evaluators = {
        "fANOVA": optuna.importance.FanovaImportanceEvaluator(seed=seed),
        "PED-ANOVA": optuna.importance.PedAnovaImportanceEvaluator(),
    }
    # PED-ANOVA explains the trials whose target is lowest.
    target = _loss(study) if len(study.directions) > 1 else None
    # Both refuse a study whose values, or parameters, are all the same.
    with suppress(RuntimeError, ValueError):
        return {
            name: optuna.importance.get_param_importances(study, evaluator=evaluator, target=target)
            for name, evaluator in evaluators.items()
        }
    return {}


def idle(shares: dict[str, dict[str, float]]) -> tuple[str, ...]:
    """Names that no evaluator gives a share worth naming.

    Example:
        >>> idle({"a": {"units": 0.9, "cell": 0.01}, "b": {"units": 0.2, "cell": 0.0}})
        ('cell',)
    """
    names = {name: None for values in shares.values() for name in values}
    return tuple(
        name for name in names if all(values.get(name, 0.0) < _IDLE for values in shares.values())
    )


def _loss(study: optuna.Study) -> Callable[[FrozenTrial], float]:
    """The quality of a trial, turned so that less is better."""
    sign = -1 if study.directions[0] is optuna.study.StudyDirection.MAXIMIZE else 1
    return lambda trial: sign * trial.values[0]


def _row(trial: FrozenTrial, bounds: Sequence[Bound]) -> dict[str, Any]:
    complete = trial.state == TrialState.COMPLETE
    return {
        "trial": trial.number,
        "state": "over" if is_over(trial, bounds) else trial.state.name.lower(),
        # Optuna takes the last step of a pruned trial for its value.
        "value": trial.values[0] if complete else None,
        "epochs": trial.user_attrs.get(EPOCHS),
        **(measured(trial.user_attrs) if bounds else {}),
        "parameters": trial.params,
    }
