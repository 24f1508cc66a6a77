"""The study: asking for trials, telling what they came to, going on after a crash."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from lslm.heads.contract import Goal
from lslm.search import space as spaces
from lslm.search.waves import Waves
from lslm.settings import Hyperparameters, SearchSettings, SearchSpace

_SPENT = "seconds"
_EPOCHS = "epochs"
_RETRIED = "retry_of"
_PIPELINE = "pipeline"
_FROM = "taken_from"
_FEW = 8
"""Finished trials; with fewer, importances are noise."""


@dataclass(frozen=True)
class Chosen:
    """What a finished study came to."""

    hyperparameters: Hyperparameters
    value: float | None
    """Of the goal on the validation part; optimistic, since it chose. None without trials."""
    n_complete: int
    n_pruned: int
    n_failed: int
    seconds: float
    """Spent searching, over all sessions."""
    trials: tuple[dict[str, Any], ...] = ()
    """Number, state, value, epochs and parameters of each; the finished ones first, the best first."""
    importances: dict[str, dict[str, float]] = field(default_factory=dict)
    """Share of the variance that each parameter explains, by evaluator; empty where trials are few."""

    def summary(self) -> dict[str, Any]:
        """The counts, the value and the time, as JSON."""
        values = dataclasses.asdict(self)
        del values["hyperparameters"]
        return values


class Study:
    """One search of one pipeline; a study of the same name in the same storage is gone on with."""

    def __init__(
        self,
        name: str,
        url: str,
        goal: Goal,
        settings: SearchSettings,
        space: SearchSpace,
        base: Hyperparameters,
        pipeline: str = "",
        at_once: int = 1,
    ) -> None:
        """`at_once` trials run beside each other, which matters where they go in waves."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.settings, self.space, self.base = settings, space, base
        self.study = optuna.create_study(
            study_name=name,
            storage=url,
            direction=goal.direction,
            sampler=_sampler(settings, space, settings.seed),
            pruner=_pruner(settings),
            load_if_exists=True,
        )
        self.began, self._asking = time.monotonic(), threading.Lock()
        self.spent = float(self.study.user_attrs.get(_SPENT, 0.0))
        self._retry_interrupted()
        if not self.study.trials:
            self.study.enqueue_trial(spaces.start(base, space))
            self._start_warm(pipeline, url)
        self.study.set_user_attr(_PIPELINE, pipeline)
        self._waves = Waves(at_once, self.n_left()) if settings.in_waves else None

    @property
    def name(self) -> str:
        """Of the study in its storage."""
        return self.study.study_name

    def n_left(self) -> int:
        """Trials still to finish."""
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        done = len(self.study.get_trials(deepcopy=False, states=states))
        return max(0, self.settings.n_trials - done)

    def exhausted(self) -> bool:
        """Whether the time budget is spent, over all sessions, or nothing got better for too long."""
        left = self.time_left()
        return (left is not None and left <= 0) or self._stagnates()

    def time_left(self) -> float | None:
        """Seconds of the budget that are left; None without a budget."""
        if self.settings.budget is None:
            return None
        return self.settings.budget - self.spent - (time.monotonic() - self.began)

    def ask(self) -> optuna.Trial | None:
        """The next trial, its parameters chosen; None where `exhausted`. Threads may ask at the same time.

        Each draws from a seed of its own: a study that is gone on with would otherwise draw the
        numbers of its beginning again. Retried trials are not counted, so that it draws the
        numbers it would have drawn undisturbed.
        """
        with self._asking:
            if self._waves:
                self._waves.wait()
            if self.exhausted():
                return None
            trials = self.study.get_trials(deepcopy=False)
            number = sum(_RETRIED not in trial.user_attrs for trial in trials)
            self.study.sampler = _sampler(self.settings, self.space, self.settings.seed + number)
            trial = self.study.ask()
            spaces.suggest(trial, self.space)
            if self._waves:
                self._waves.enter(trial.number)
            return trial

    def hyperparameters(self, trial: optuna.Trial) -> Hyperparameters:
        """What the trial is to try."""
        return self.base.replaced(trial.params)

    def tell(self, trial: optuna.Trial, value: float, epochs: int) -> None:
        """The trial finished at `value`, reached after `epochs`."""
        trial.set_user_attr(_EPOCHS, epochs)
        self._settle(trial, lambda: self.study.tell(trial, value))

    def prune(self, trial: optuna.Trial) -> None:
        """The trial was stopped by the pruner."""
        self._settle(trial, lambda: self.study.tell(trial, state=TrialState.PRUNED))

    def fail(self, trial: optuna.Trial) -> None:
        """The trial raised an error; it does not count as finished."""
        self._settle(trial, lambda: self.study.tell(trial, state=TrialState.FAIL))

    def _settle(self, trial: optuna.Trial, outcome: Callable[[], object]) -> None:
        """Make the outcome known: now, or at the end of the wave."""

        def known() -> None:
            outcome()
            self._count_time()

        if self._waves:
            self._waves.leave(trial.number, known)
        else:
            known()

    def best_so_far(self) -> str:
        """The best value in words, for a progress bar."""
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return f"best {self.study.best_value:.4f}" if trials else ""

    def chosen(self) -> Chosen:
        """The best trial's hyperparameters, trained for as many epochs as were best for it."""
        if self._waves:
            self._waves.close()
        trials = self.study.get_trials(deepcopy=False)
        counts = {state: sum(t.state == state for t in trials) for state in TrialState}
        best: FrozenTrial | None = None
        if counts[TrialState.COMPLETE]:
            best = self.study.best_trial
        return Chosen(
            hyperparameters=self._tried(best) if best else self.base,
            value=best.value if best else None,
            n_complete=counts[TrialState.COMPLETE],
            n_pruned=counts[TrialState.PRUNED],
            n_failed=counts[TrialState.FAIL],
            seconds=float(self.study.user_attrs.get(_SPENT, 0.0)),
            trials=tuple(self._told(trials)),
            importances=self._importances(counts[TrialState.COMPLETE]),
        )

    def _told(self, trials: list[FrozenTrial]) -> Iterator[dict[str, Any]]:
        pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
        for trial in self._ranked(trials) + pruned:
            yield {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                "value": trial.value,
                "epochs": trial.user_attrs.get(_EPOCHS),
                "parameters": trial.params,
            }

    def _importances(self, n_complete: int) -> dict[str, dict[str, float]]:
        """Two evaluators: they disagree where trials are few, and one alone would hide it."""
        if n_complete < _FEW:
            return {}
        evaluators = {
            "fANOVA": optuna.importance.FanovaImportanceEvaluator(seed=self.settings.seed),
            "PED-ANOVA": optuna.importance.PedAnovaImportanceEvaluator(),
        }
        # Both refuse a study whose values, or parameters, are all the same.
        with suppress(RuntimeError, ValueError):
            return {
                name: optuna.importance.get_param_importances(self.study, evaluator=evaluator)
                for name, evaluator in evaluators.items()
            }
        return {}

    def _tried(self, trial: FrozenTrial) -> Hyperparameters:
        changes: dict[str, Any] = {**trial.params, "training.epochs": trial.user_attrs[_EPOCHS]}
        return self.base.replaced(changes)

    def _stagnates(self) -> bool:
        """Whether the last trials, pruned ones included, brought nothing better.

        Optuna's own evaluator of stagnation counts no pruned trial, and most are pruned.
        """
        if self.settings.patience is None:
            return False
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        trials = self.study.get_trials(deepcopy=False, states=states)
        best = self._ranked(trials)[:1]
        since = [trial for trial in trials if best and trial.number > best[0].number]
        return len(since) >= self.settings.patience

    def _start_warm(self, pipeline: str, url: str) -> None:
        """Queue the best trials of the pipeline's last study, as far as the space still has them."""
        if not self.settings.warm_start:
            return
        earlier = [
            each
            for each in optuna.get_all_study_summaries(url)
            if each.user_attrs.get(_PIPELINE) == pipeline and each.study_name != self.name
        ]
        began = [(each.datetime_start, each.study_name) for each in earlier if each.datetime_start]
        if not began:
            return
        last = max(began)[1]
        trials = optuna.load_study(study_name=last, storage=url).get_trials()
        for trial in self._ranked(trials)[: self.settings.warm_start]:
            self.study.enqueue_trial(
                spaces.within(trial.params, self.space),
                user_attrs={_FROM: f"{last}/{trial.number}"},
                skip_if_exists=True,
            )

    def _ranked(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """Finished trials, best first."""
        sign = -1 if self.study.direction is optuna.study.StudyDirection.MAXIMIZE else 1
        finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
        return sorted(finished, key=lambda trial: sign * (trial.value or 0.0))

    def _retry_interrupted(self) -> None:
        """Trials that a dead process left running are failed and queued with the same parameters."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.enqueue_trial(trial.params, user_attrs={_RETRIED: trial.number})
            self.study.tell(trial.number, state=TrialState.FAIL)

    def _count_time(self) -> None:
        self.study.set_user_attr(_SPENT, self.spent + time.monotonic() - self.began)


def _sampler(
    settings: SearchSettings, space: SearchSpace, seed: int
) -> optuna.samplers.BaseSampler:
    return {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed, n_startup_trials=5),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        "grid": lambda: optuna.samplers.GridSampler(spaces.grid(space), seed=seed),
    }[settings.sampler]()


def _pruner(settings: SearchSettings) -> optuna.pruners.BasePruner:
    if not settings.pruning:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2)
