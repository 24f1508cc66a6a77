"""The study: asking for trials, telling what they came to, going on after a crash."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from lslm.errors import InputError
from lslm.heads.contract import Goal
from lslm.search import beating, bounds, chosen, judge, storage
from lslm.search import space as spaces
from lslm.search.chosen import EPOCHS, Chosen
from lslm.search.judge import Ticket
from lslm.search.storage import patiently
from lslm.settings import Hyperparameters, SearchSettings, SearchSpace

_SPENT = "seconds"
_PIPELINE = "pipeline"
_FROM = "taken_from"
_MOST_OVER = 5
"""Trials over a bound that are passed over, for each one that is wanted."""


class Study:
    """One search of one pipeline; a study of the same name in the same storage is gone on with.

    One thread asks and tells; what runs the trials is given tickets.
    """

    def __init__(
        self,
        name: str,
        url: str,
        goal: Goal,
        settings: SearchSettings,
        space: SearchSpace,
        base: Hyperparameters,
        pipeline: str = "",
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.url, self.settings, self.space, self.base = url, settings, space, base
        self.bounds = bounds.of(settings)
        self.running: dict[int, optuna.Trial] = {}
        """Trials that were asked for here and not told yet, by number."""
        self.study = optuna.create_study(
            study_name=name,
            storage=storage.opened(url),
            directions=[goal.direction, *("minimize" for _ in self.bounds)],
            sampler=_sampler(settings, space, settings.seed),
            pruner=judge.pruner(settings, base.training.epochs),
            load_if_exists=True,
        )
        self.began = time.monotonic()
        self.spent = float(self.study.user_attrs.get(_SPENT, 0.0))
        self.n_points = spaces.n_points(space) if settings.sampler == "grid" else None
        """Points of the grid; None with another sampler."""
        # The trials of a grid are its points, one after the other.
        if self.n_points is None and not self.study.get_trials(deepcopy=False):
            self.study.enqueue_trial(spaces.start(base, space))
            self._start_warm(pipeline)
        self.study.set_user_attr(_PIPELINE, pipeline)

    @property
    def name(self) -> str:
        """Of the study in its storage."""
        return self.study.study_name

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Give signs of life for the running trials inside the block."""
        with beating.beating(self.running):
            yield

    def n_left(self) -> int:
        """Trials still to finish; those over a bound cost no training, and up to a limit do not count.

        A grid has no more of them than points that were not tried; one where the trial failed was.
        """
        trials, wanted = self._ended(), self.settings.n_trials
        finished = [trial for trial in trials if trial.state != TrialState.FAIL]
        n_over = sum(chosen.is_over(trial, self.bounds) for trial in finished)
        if n_over >= _MOST_OVER * wanted:
            return 0
        left = wanted - (len(finished) - n_over)
        if self.n_points is not None:
            left = min(left, self.n_points - len(trials))
        return max(0, left)

    def exhausted(self) -> bool:
        """Whether the time budget is spent, over all sessions, or nothing got better for too long."""
        left = self.time_left()
        return (left is not None and left <= 0) or self._stagnates()

    def time_left(self) -> float | None:
        """Seconds of the budget that are left; None without a budget."""
        if self.settings.budget is None:
            return None
        return self.settings.budget - self.spent - (time.monotonic() - self.began)

    def ask(self, before: int | None = None) -> Ticket | None:
        """The next trial, its parameters chosen; None where enough are running, or `exhausted`.

        A trial that is new has a number below `before`, where that is given; else None.

        A trial whose process is gone is taken up again first, with its parameters, also where the budget is spent:
        the search then comes to what it would have come to undisturbed. Each trial draws from a
        seed of its own: a study that is gone on with would otherwise draw the numbers of its beginning again.
        """
        return patiently(lambda: self._ask(before))

    def hyperparameters(self, ticket: Ticket) -> Hyperparameters:
        """What the trial is to try."""
        return self.base.replaced(self.parameters(ticket))

    def parameters(self, ticket: Ticket) -> dict[str, Any]:
        """The trial's values by dotted setting name."""
        return dict(self.running[ticket.number].params)

    def tell(
        self, ticket: Ticket, value: float, epochs: int, measured: Mapping[str, float] | None = None
    ) -> None:
        """The trial finished at `value`, reached after `epochs`; `measured` are the measures of the bounds."""
        measures = measured or {}
        values = [value, *(measures[bound.measure] for bound in self.bounds)]

        def settle() -> None:
            self.running[ticket.number].set_user_attr(EPOCHS, epochs)
            self._note(ticket, measures)
            self.study.tell(ticket.number, values, skip_if_finished=True)

        self._settle(ticket, settle)

    def prune(self, ticket: Ticket) -> None:
        """The trial was stopped by the pruner."""
        self._end(ticket, TrialState.PRUNED)

    def pass_over(self, ticket: Ticket, measured: Mapping[str, float]) -> None:
        """The trial was not trained: what its model would measure is over a bound. The sampler learns from it."""

        def settle() -> None:
            self._note(ticket, measured)
            self.study.tell(ticket.number, state=TrialState.PRUNED, skip_if_finished=True)

        self._settle(ticket, settle)

    def _note(self, ticket: Ticket, measured: Mapping[str, float]) -> None:
        trial = self.running[ticket.number]
        for name, number in measured.items():
            trial.set_user_attr(name, number)
        for bound in self.bounds:
            trial.set_constraint(bound.measure, bound.excess(measured))

    def fail(self, ticket: Ticket) -> None:
        """The trial raised an error; it does not count as finished."""
        self._end(ticket, TrialState.FAIL)

    def give_back(self) -> None:
        """The trials that are running here will be gone on with by a later run: none is left running."""
        for number, trial in list(self.running.items()):
            patiently(lambda trial=trial: self._give_back(_id(trial)))
            del self.running[number]

    def _give_back(self, trial: int) -> None:
        store = storage.opened(self.url)
        # Another machine, that took this one for dead, may have ended the trial, or go on with it.
        with suppress(UpdateFinishedTrialError):
            if beating.is_mine(store.get_trial(trial).user_attrs):
                store.set_trial_state_values(trial, TrialState.WAITING)

    def best_so_far(self) -> str:
        """The best value in words, for a progress bar."""
        best = patiently(lambda: chosen.ranked(self.study, self.bounds))
        return f"best {best[0].values[0]:.4f}" if best else ""

    def chosen(self) -> Chosen:
        """The best trial's hyperparameters, trained for as many epochs as were best for it.

        Trials that all are over a bound raise InputError.
        """
        return patiently(self._chosen)

    def _chosen(self) -> Chosen:
        trials = self.study.get_trials(deepcopy=False)
        counts = {state: sum(t.state == state for t in trials) for state in TrialState}
        best = chosen.ranked(self.study, self.bounds)
        measured = [t for t in trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        if self.bounds and measured and not best:
            self._refuse_all(measured)
        rows = chosen.told(self.study, self.bounds)
        shares = chosen.importances(self.study, counts[TrialState.COMPLETE], self.settings.seed)
        return Chosen(
            hyperparameters=self._tried(best[0]) if best else self.base,
            value=best[0].values[0] if best else None,
            n_complete=counts[TrialState.COMPLETE],
            n_pruned=sum(row["state"] == "pruned" for row in rows),
            n_over=sum(row["state"] == "over" for row in rows),
            n_failed=counts[TrialState.FAIL],
            seconds=float(self.study.user_attrs.get(_SPENT, 0.0)),
            trials=rows,
            importances=shares,
            idle=chosen.idle(shares),
            front=chosen.front(self.study, self.bounds),
            bounds={bound.measure: bound.most for bound in self.bounds},
        )

    def _refuse_all(self, finished: list[FrozenTrial]) -> None:
        """Say of each bound how close the trials came."""
        least = {b: min(trial.user_attrs[b.measure] for trial in finished) for b in self.bounds}
        told = ", ".join(f"{b.measure} at least {value:.3g}" for b, value in least.items())
        most = ", ".join(f"{b.measure} of {b.most:g}" for b in self.bounds)
        raise InputError(
            f"no trial of {len(finished)} is within {most} ({told})",
            where="search",
            right="a higher bound, or a space with smaller models (encoder.max_words, encoder.units)",
        )

    def _ask(self, before: int | None) -> Ticket | None:
        trial = None
        while trial is None:
            trials = self.study.get_trials(deepcopy=False)
            lost = next((trial for trial in trials if self._abandoned(trial)), None)
            if lost is None and not self._may_begin(trials, before):
                return None
            trial = self._begun(trials) if lost is None else self._taken_up(lost)
        self._suggest(trial)
        self.running[trial.number] = trial
        return Ticket(
            study=self.name,
            url=self.url,
            trial=_id(trial),
            number=trial.number,
            settings=self.settings,
            longest=self.base.training.epochs,
        )

    def _may_begin(self, trials: list[FrozenTrial], before: int | None) -> bool:
        """Whether one trial more is wanted: the first that waits to be begun, or a new one."""
        waiting = (trial.number for trial in trials if trial.state == TrialState.WAITING)
        number = next(waiting, len(trials))
        late = any(end is not None and number >= end for end in (before, self.n_points))
        return not late and self.n_left() > len(self.running) and not self.exhausted()

    def _begun(self, trials: list[FrozenTrial]) -> optuna.Trial:
        """The first trial that waits to be begun, or a new one.

        It is signed while it waits: where this process dies before it runs, the next one takes it up.
        """
        store = storage.opened(self.url)
        waiting = next((trial for trial in trials if trial.state == TrialState.WAITING), None)
        if waiting is None:
            signed = optuna.trial.create_trial(state=TrialState.WAITING, user_attrs=beating.signs())
            self.study.add_trial(signed)
        else:
            # Another machine may have been faster; Optuna then finds another trial.
            with suppress(UpdateFinishedTrialError):
                beating.sign(store, _id(waiting))
        trial = self.study.ask()
        # Again: another machine, that was slower, may have signed it meanwhile.
        beating.sign(store, _id(trial))
        return trial

    def _taken_up(self, lost: FrozenTrial) -> optuna.Trial | None:
        """The lost trial, run here from now on; None where another machine took it up before.

        Optuna takes up no trial that runs, and of two that take up one that waits it lets one.
        """
        store, number = storage.opened(self.url), _id(lost)
        with suppress(UpdateFinishedTrialError):
            now = store.get_trial(number)
            if now.state != lost.state or not self._abandoned(now):
                return None
            waits = now.state == TrialState.WAITING
            if waits and not store.set_trial_state_values(number, TrialState.RUNNING):
                return None
            beating.sign(store, number)
            return optuna.Trial(self.study, number)
        return None

    def _suggest(self, trial: optuna.Trial) -> None:
        """Draw parameters from seeds of their own: a process may have died when some were drawn already.

        First those that the sampler draws together: Optuna would draw them all when it comes to the first that is
        missing. What is left is drawn one by one.
        """
        self._seed(trial, 0)
        _ = trial.relative_params
        for place, (name, choices) in enumerate(self.space.items(), start=1):
            self._seed(trial, place)
            spaces.suggest(trial, {name: choices})

    def _seed(self, trial: optuna.Trial, place: int) -> None:
        """Take a sampler for draw number `place` of the trial, seeded unlike those of other trials and studies."""
        drawn = np.random.SeedSequence([self.settings.seed, trial.number, place])
        seed = int(drawn.generate_state(1)[0])
        self.study.sampler = _sampler(self.settings, self.space, seed)

    def _abandoned(self, trial: FrozenTrial) -> bool:
        """Whether a trial was begun, and is not over, and nobody runs it."""
        if trial.state == TrialState.WAITING:
            return beating.is_signed(trial.user_attrs)
        running = trial.state == TrialState.RUNNING and trial.number not in self.running
        return running and beating.is_abandoned(trial)

    def _end(self, ticket: Ticket, state: TrialState) -> None:
        self._settle(
            ticket, lambda: self.study.tell(ticket.number, state=state, skip_if_finished=True)
        )

    def _settle(self, ticket: Ticket, outcome: Callable[[], object]) -> None:
        """Tell the outcome; nothing of a trial that ended, as on a machine that took this one for dead."""
        with suppress(UpdateFinishedTrialError):
            patiently(outcome)
        del self.running[ticket.number]
        spent = self.spent + time.monotonic() - self.began
        patiently(lambda: self.study.set_user_attr(_SPENT, spent))

    def _ended(self) -> list[FrozenTrial]:
        """Trials that are over, those that failed included."""
        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        return patiently(lambda: self.study.get_trials(deepcopy=False, states=states))

    def _tried(self, trial: FrozenTrial) -> Hyperparameters:
        changes: dict[str, Any] = {**trial.params, "training.epochs": trial.user_attrs[EPOCHS]}
        return self.base.replaced(changes)

    def _stagnates(self) -> bool:
        """Whether the last trials that were trained, pruned ones included, brought nothing better.

        Optuna's own evaluator of stagnation counts no pruned trial, and most are pruned.
        """
        if self.settings.patience is None:
            return False
        best = chosen.ranked(self.study, self.bounds)[:1]
        trained = (
            trial
            for trial in self._ended()
            if trial.state != TrialState.FAIL and not chosen.is_over(trial, self.bounds)
        )
        since = [trial for trial in trained if best and trial.number > best[0].number]
        return len(since) >= self.settings.patience

    def _start_warm(self, pipeline: str) -> None:
        """Queue the best trials of the pipeline's last study, as far as the space still has them."""
        if not self.settings.warm_start:
            return
        store = storage.opened(self.url)
        earlier = [
            each
            for each in optuna.get_all_study_summaries(store)
            if each.user_attrs.get(_PIPELINE) == pipeline
            and each.study_name != self.name
            and len(each.directions) == len(self.study.directions)
        ]
        began = [(each.datetime_start, each.study_name) for each in earlier if each.datetime_start]
        if not began:
            return
        last = max(began)[1]
        best = chosen.ranked(optuna.load_study(study_name=last, storage=store), self.bounds)
        for trial in best[: self.settings.warm_start]:
            self.study.enqueue_trial(
                spaces.within(trial.params, self.space),
                user_attrs={_FROM: f"{last}/{trial.number}"},
                skip_if_exists=True,
            )


def _id(trial: optuna.Trial | FrozenTrial) -> int:
    """Of the trial in the storage; Optuna keeps it to itself."""
    return trial._trial_id  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


class _Grid(optuna.samplers.GridSampler):
    """Optuna's, whose end of the grid stops an `optimize` that there is none of here."""

    def after_trial(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: who asks knows when enough were asked for."""


def _sampler(
    settings: SearchSettings, space: SearchSpace, seed: int
) -> optuna.samplers.BaseSampler:
    return {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed, n_startup_trials=5),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        # Its seed orders the grid: with another one a trial, points would be tried twice and others never.
        "grid": lambda: _Grid(spaces.grid(space), seed=settings.seed),
    }[settings.sampler]()
