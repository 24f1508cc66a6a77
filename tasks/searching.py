"""The stage that searches: trials are asked for and told here, and run wherever the task runner puts them."""

import math
import queue
import statistics
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Crashed, Failed
from pydantic import BaseModel, ConfigDict

from lslm import heads, planning, progress, stopping
from lslm.evaluation.markdown import search_text
from lslm.pretraining.recipe import SETTLED
from lslm.pretraining.weights import PART_FILE
from lslm.search import bounds, storage
from lslm.search import space as spaces
from lslm.search.judge import Judge, Ticket
from lslm.search.study import Study
from lslm.serving.recipe import Recipe, Serving
from lslm.settings import (
    EmbeddingSettings,
    HeadSettings,
    Hyperparameters,
    SearchSettings,
)
from lslm.tracking import runs
from lslm.tracking.runs import TrialRecord
from lslm.training import workers
from lslm.training.epochs import Epoch
from lslm.workspace import Handle
from tasks import runners
from tasks.embeddings import Pretrained
from tasks.models import Which, fitted, forget_trial, prepare_part
from tasks.stage import Pages, Run, stage
from tasks.tracked import store_of

# Named, not imported: only the training processes pay for Keras.
_MEASURE = "lslm.serving.measuring:measured"
_MODULES = ("lslm.search.study", "lslm.training.fitting", "lslm.serving.measuring")
"""Of the library; a trial may come to something else where their source changed."""
_GOES_ON = {"n_trials", "budget", "patience"}
"""Settings that say when a search ends, and not what its trials are: with others it is gone on with."""
_HOPELESS = 5
"""Failures in a row after which no trial more is begun."""


class Found(BaseModel):
    """What the search came to."""

    model_config = ConfigDict(frozen=True)

    hyperparameters: Hyperparameters
    summary: dict[str, Any]


class Outcome(BaseModel):
    """What one trial came to."""

    model_config = ConfigDict(frozen=True)

    value: float | None = None
    """Of the goal, at the best epoch; the mean where the trial is judged on several parts. None where it was
    not trained, since its model would be over a bound."""
    epochs: int = 0
    """After which it was best; the median over the parts."""
    pruned: bool = False
    curve: tuple[Epoch, ...] = ()
    """Each epoch; where there are several parts, the best epoch of each, numbered as the parts are."""
    seconds: float
    measured: dict[str, float] = {}
    """What the model would measure where it is served; empty without bounds."""

    @property
    def state(self) -> Literal["complete", "pruned", "over", "failed"]:
        """How it ended; where the value is no finite number, it failed."""
        if self.value is None:
            return "over"
        if not math.isfinite(self.value):
            return "failed"
        return "pruned" if self.pruned else "complete"


def _search_pages(found: Found) -> Pages:
    return {"search": f"# Search\n\n{search_text(found.summary, found.summary['goal'])}"}


def _search_outcome(found: Found) -> dict[str, Any]:
    return {"hyperparameters": found.hyperparameters, "value": found.summary["value"]}


@stage(
    "Search",
    modules=(*_MODULES, "lslm.corpus.splitting"),
    pages=_search_pages,
    outcome=_search_outcome,
)
def search(
    run: Run,
    development: Handle,
    tokens: Handle,
    pretrained: Pretrained,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    start: Hyperparameters,
    search: SearchSettings,
    serving: Serving,
) -> Found:
    """Choose hyperparameters on a validation part of the development set, or on folds of it.

    Where models are bounded, each is measured as it would be served, with the words of the whole development set.
    """
    bounded = bounds.of(search)
    pending = [
        prepare_part.submit(run, which, development, tokens, pretrained, embedding, head)
        for which in (*Which.for_search(search), *([Which(kind="all")] if bounded else []))
    ]
    parts = tuple(each.result() for each in pending)
    if not bounded:
        return searched(run, parts, head, start, search)
    *own, whole = parts
    recipe = Recipe(whole.path, development.path, head, serving)
    return searched(run, tuple(own), head, start, search, recipe=recipe)


def searched(
    run: Run,
    parts: tuple[Handle, ...],
    head: HeadSettings,
    start: Hyperparameters,
    search: SearchSettings,
    fold: int | None = None,
    recipe: Recipe | None = None,
) -> Found:
    """What the study of these parts comes to; one that was begun is gone on with.

    `fold` is the outer fold, from 1, that the parts lie inside of; None: they are the pipeline's own. Where models
    are bounded, `recipe` says how each is put together to be measured.
    """
    kind = heads.get(head.kind)
    settled = SETTLED if any((part.path / PART_FILE).exists() for part in parts) else ()
    space = spaces.of(kind, search.space, bounds.of(search), settled)
    made_of: dict[str, Any] = {"parts": parts, "head": head, "start": start, "space": space}
    made_of["search"] = search.model_dump(exclude={*_GOES_ON, "space"})
    if recipe is not None:
        made_of |= {"whole": recipe.part_folder, "serving": recipe.serving}
    # No pipeline has a comma in its name: none starts warm from the study of a fold.
    whose = run.settings.name if fold is None else f"{run.settings.name}, fold {fold}"
    name = planning.key(whose, planning.key_parts(made_of, _MODULES))
    study = Study(name, run.study_url, kind.goal, search, space, start, whose)
    return conduct(run, study, parts, head.kind, fold, recipe)


def conduct(
    run: Run,
    study: Study,
    parts: tuple[Handle, ...],
    head_kind: str,
    fold: int | None = None,
    recipe: Recipe | None = None,
) -> Found:
    """Ask for trials and tell what they came to until the study is done; then what it came to.

    A failed trial is not a finished one: another takes its place. Where one after the other fails, the first of
    their errors is raised.
    """
    with (
        progress.bar("Trials", study.n_left(), "trials", limit=study.time_left()) as shown,
        study.alive(),
    ):
        try:
            failures = _Conductor(run, study, parts, head_kind, fold, recipe, shown).play()
        except BaseException:
            study.give_back()
            raise
    chosen = study.chosen()
    if failures and chosen.value is None:
        failures[0].result()
    goal = heads.get(head_kind).goal.metric
    return Found(hyperparameters=chosen.hyperparameters, summary={"goal": goal, **chosen.summary()})


class _Conductor:
    """Keeps as many trials running as there is room for."""

    def __init__(
        self,
        run: Run,
        study: Study,
        parts: tuple[Handle, ...],
        head_kind: str,
        fold: int | None,
        recipe: Recipe | None,
        shown: progress.Bar,
    ) -> None:
        self.run, self.study, self.parts, self.head_kind = run, study, parts, head_kind
        self.fold, self.recipe = fold, recipe
        self.shown, self.n_wanted, self.in_a_row = shown, study.n_left(), 0
        self.waves = study.settings.in_waves
        self.ended: queue.SimpleQueue[PrefectFuture[Outcome]] = queue.SimpleQueue()
        self.running: dict[PrefectFuture[Outcome], Ticket] = {}
        self.held: dict[int, tuple[Ticket, State[Outcome]]] = {}
        """Trials that are over and not told yet, by number."""
        self.deaths: dict[int, int] = {}
        self.failures: list[State[Outcome]] = []

    def play(self) -> list[State[Outcome]]:
        """Run trials until none is left to ask for; the states of those that failed."""
        try:
            self._begin()
            while self.running:
                ticket, state = self._next()
                if self._revived(ticket, state):
                    continue
                self.held[ticket.number] = (ticket, state)
                if self.waves and self.running:
                    continue
                self._settle_held()
                self._begin()
        except Exception:
            self._let_end()
            raise
        if self.in_a_row >= _HOPELESS:
            self.failures[-self.in_a_row].result()
        return self.failures

    def _next(self) -> tuple[Ticket, State[Outcome]]:
        """The next trial that is over, and how it ended."""
        future = self.ended.get()
        state = _final(future)
        return self.running.pop(future), state

    def _settle_held(self) -> None:
        for number in sorted(self.held):
            self._settle(*self.held.pop(number))

    def _let_end(self) -> None:
        """Wait for what runs, and tell it where that can be: another attempt would train it a second time beside.

        Not where the run was asked to stop. What is not told is given back.
        """
        try:
            while self.running:
                stopping.check()
                ticket, state = self._next()
                if state.is_completed():
                    self.held[ticket.number] = (ticket, state)
        finally:
            with suppress(Exception):
                self._settle_held()

    def _begin(self) -> None:
        while len(self.running) < runners.width() and self.in_a_row < _HOPELESS:
            ticket = self.study.ask(self._end_of_wave())
            if ticket is None:
                return
            self._submit(ticket)

    def _end_of_wave(self) -> int | None:
        """The number that the next wave begins with; none before a wave has begun, and where there are none.

        A run may have been cut off when part of a wave was told: its rest is gone on with by itself.
        """
        if not self.waves or not self.running:
            return None
        size, first = runners.width(), min(ticket.number for ticket in self.running.values())
        return (first // size + 1) * size

    def _submit(self, ticket: Ticket) -> None:
        chosen = self.study.hyperparameters(ticket)
        where = "" if self.fold is None else f"fold {self.fold}, "
        name = f"{where}trial {ticket.number + 1} of {self.study.settings.n_trials}"
        future: PrefectFuture[Outcome] = trial.with_options(task_run_name=name).submit(
            self.run, ticket, chosen, self.parts, self.head_kind, self.recipe
        )
        self.running[future] = ticket
        future.add_done_callback(self.ended.put)

    def _revived(self, ticket: Ticket, state: State[Outcome]) -> bool:
        """Whether a trial whose process died was begun again, with its parameters, from its last epoch."""
        deaths = self.deaths[ticket.number] = self.deaths.get(ticket.number, 0) + 1
        if not state.is_crashed() or deaths > self.run.settings.execution.worker_deaths:
            return False
        self._submit(ticket)
        return True

    def _raise_the_machine_s(self, state: State[Outcome]) -> None:
        """A disk that is full says nothing of a trial: the stage fails, and goes on with the trial when it can."""
        error = state.result(raise_on_failure=False)
        if isinstance(error, (OSError, *storage.FAILURES)):
            raise error

    def _settle(self, ticket: Ticket, state: State[Outcome]) -> None:
        chosen = self.study.hyperparameters(ticket)
        outcome: Outcome | None = state.result() if state.is_completed() else None
        if outcome is None:
            self._raise_the_machine_s(state)
            self._fail(ticket, state, None)
        elif outcome.state == "failed":
            error = ValueError(f"trial {ticket.number + 1} came to {outcome.value}")
            self._fail(ticket, Failed(message=str(error), data=error), outcome)
        else:
            self._tell(ticket, outcome)
        forget_trial(self.run, self.parts, self.head_kind, chosen)
        self.shown.reach(self.n_wanted - self.study.n_left())
        self.shown.note(self.study.best_so_far())

    def _tell(self, ticket: Ticket, outcome: Outcome) -> None:
        self.in_a_row = 0
        # First: a trial that is told is not run again, and one that is logged is not logged again.
        params = self.study.parameters(ticket)
        _log(self.run, self.study.name, ticket, params, outcome, self.fold)
        if outcome.value is None:
            self.study.pass_over(ticket, outcome.measured)
        elif outcome.pruned:
            self.study.prune(ticket)
        else:
            self.study.tell(ticket, outcome.value, outcome.epochs, outcome.measured)

    def _fail(self, ticket: Ticket, state: State[Outcome], outcome: Outcome | None) -> None:
        params = self.study.parameters(ticket)
        self.study.fail(ticket)
        self.failures.append(state)
        self.in_a_row += 1
        _log(self.run, self.study.name, ticket, params, outcome, self.fold)


def _final(future: PrefectFuture[Outcome]) -> State[Outcome]:
    """How a trial ended: crashed, where the process that ran it died and took the state with it."""
    try:
        future.wait()
        state = future.state
    except Exception as error:
        return Crashed(message=f"the process of a trial died: {error}", data=error)
    if state.is_final():
        return state
    return Crashed(message="the process of a trial died, or could not be reached any more")


@task(name="trial", cache_policy=NO_CACHE, persist_result=False)
def trial(
    run: Run,
    ticket: Ticket,
    chosen: Hyperparameters,
    parts: tuple[Handle, ...],
    head_kind: str,
    recipe: Recipe | None,
) -> Outcome:
    """One trial of the search: fits on each part, until the pruner stops it.

    With a recipe the model is measured first, and not trained where it would be over a bound.
    """
    began = time.perf_counter()
    measured = _measured(run, recipe, chosen) if recipe else {}
    if not bounds.kept(bounds.of(ticket.settings), measured):
        return Outcome(measured=measured, seconds=time.perf_counter() - began)
    judge, head = Judge(ticket), heads.get(head_kind)
    metric, share = head.goal.metric, 1 / len(parts)
    best: list[Epoch] = []
    curve: list[Epoch] = []
    for part in parts:
        curve.clear()

        def heard(epoch: Epoch) -> bool:
            # A fit that goes on in another process tells its epochs again.
            if epoch.number <= len(curve):
                return True
            curve.append(epoch)
            progress.advance(share / chosen.training.epochs)
            return len(parts) > 1 or judge.hear(epoch.metrics[metric], epoch.number)

        fit = fitted(run, heard, part, head_kind, chosen, chosen.training.seed, stop_early=True)
        best.append(fit.best(head))
        progress.advance(share * (1 - len(curve) / chosen.training.epochs))
        values = [each.metrics[metric] for each in best]
        if len(parts) > 1 and not judge.hear(_step(values, ticket.settings.pruner), len(best)):
            break
    return Outcome(
        value=statistics.fmean(each.metrics[metric] for each in best),
        epochs=round(statistics.median(each.number for each in best)),
        pruned=judge.pruned,
        curve=tuple(curve if len(parts) == 1 else best),
        seconds=time.perf_counter() - began,
        measured=measured,
    )


def _measured(run: Run, recipe: Recipe, chosen: Hyperparameters) -> dict[str, float]:
    """What the model would measure, in a training process."""
    with run.workspace.scratch() as folder:
        found: dict[str, float] = workers.shared().run(
            _MEASURE, folder=folder / "model", recipe=recipe, hyperparameters=chosen
        )
        return found


def _step(values: list[float], pruner: str) -> float:
    """What the pruner hears after each part: the test compares parts, the others what they come to together."""
    return values[-1] if pruner == "wilcoxon" else statistics.fmean(values)


def _log(
    run: Run,
    study: str,
    ticket: Ticket,
    params: Mapping[str, Any],
    outcome: Outcome | None,
    fold: int | None,
) -> None:
    """A child run in MLflow with its learning curve; no outcome where the trial failed."""
    record = TrialRecord(
        number=ticket.number,
        params=params,
        values=tuple((epoch.number, epoch.metrics) for epoch in outcome.curve) if outcome else (),
        state=outcome.state if outcome else "failed",
        value=outcome.value if outcome else None,
        seconds=outcome.seconds if outcome else 0.0,
        measured=outcome.measured if outcome else {},
        fold=fold,
    )
    runs.log_trial(store_of(run), run.run_id, study, record)
