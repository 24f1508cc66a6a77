"""Whether a trial is worth going on with: what it comes to is told while it runs, and compared with the others."""

import warnings
from dataclasses import dataclass

import optuna

from lslm.search import storage
from lslm.settings import SearchSettings


@dataclass(frozen=True)
class Ticket:
    """Which trial is run: small and frozen, since the process that runs it may be on another machine."""

    study: str
    url: str
    """Of the storage; it holds a password, perhaps."""
    trial: int
    """Its id in the storage."""
    number: int
    """Its number in the study."""
    settings: SearchSettings
    longest: int
    """Epochs of a trial that is not stopped."""


class Judge:
    """Hears what one trial comes to, step by step, and stops it where the pruner says so.

    A step is an epoch; where a trial is judged on several parts, it is a part. Each step counts once: what a
    trial that is gone on with tells again is left alone.
    """

    def __init__(self, ticket: Ticket) -> None:
        # No parameter is drawn here: they are all in the storage.
        study = storage.patiently(
            lambda: optuna.load_study(
                study_name=ticket.study,
                storage=storage.opened(ticket.url),
                sampler=optuna.samplers.RandomSampler(),
                pruner=pruner(ticket.settings, ticket.longest),
            )
        )
        self._prunes = ticket.settings.pruner != "none" and len(study.directions) == 1
        self._trial = storage.patiently(lambda: optuna.Trial(study, ticket.trial))
        self.pruned = False

    def hear(self, value: float, step: int) -> bool:
        """Whether the trial should go on, with this value at this step."""
        if not self._prunes:
            return True
        with warnings.catch_warnings():
            # Said again by a trial that is gone on with.
            warnings.simplefilter("ignore")
            storage.patiently(lambda: self._trial.report(value, step))
        self.pruned = storage.patiently(self._trial.should_prune)
        return not self.pruned


def pruner(settings: SearchSettings, longest: int) -> optuna.pruners.BasePruner:
    """The pruner that the settings name; `longest` is the number of steps of a whole trial."""
    return {
        "none": optuna.pruners.NopPruner,
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2),
        # Li et al. 2018: brackets of trials that start with few epochs and go on with the best third.
        "hyperband": lambda: optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=longest, reduction_factor=3
        ),
        # A signed-rank test of the parts done so far against the same parts of the best trial.
        "wilcoxon": lambda: optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=2),
    }[settings.pruner]()
