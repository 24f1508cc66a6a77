"""Trials of a search, each a child run with its learning curve."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lslm import owners
from lslm.tracking.logbook import LARGEST_BATCH, parts
from lslm.tracking.store import Store

PARENT, _TRIAL = "mlflow.parentRunId", "lslm.trial"
FOLD = "lslm.fold"
"""Tag of a trial of a nested search: its outer fold, from 1."""


@dataclass(frozen=True)
class TrialRecord:
    """One finished trial of a search."""

    number: int
    params: Mapping[str, Any]
    """By dotted setting name."""
    values: tuple[tuple[int, Mapping[str, float]], ...]
    """The learning curve: (epoch, {metric: value})."""
    state: Literal["complete", "pruned", "over", "failed"]
    """`over`: its model would be over a bound, so it was not trained."""
    value: float | None
    """Of the goal; None where there is none."""
    seconds: float
    measured: Mapping[str, float] = field(default_factory=dict)
    """What the model would measure where it is served, such as `size_mb`."""
    fold: int | None = None
    """Outer fold, from 1, inside of which the search was; None: it was the pipeline's own."""

    @property
    def title(self) -> str:
        """The name of its run.

        Example:
            >>> TrialRecord(5, {}, (), "complete", 0.8, 1.0, fold=2).title
            'fold 2, trial 5'
        """
        return (
            f"trial {self.number}"
            if self.fold is None
            else f"fold {self.fold}, trial {self.number}"
        )


def log_trial(store: Store, run_id: str, study: str, trial: TrialRecord) -> str:
    """The child run of a trial, logged now or already there; the parent is `run_id`."""
    parent = store.client.get_run(run_id)
    name = f"{study}/{trial.number}"
    logged = _logged(store, parent.info.experiment_id, run_id, name)
    if logged is not None:
        return logged
    end = int(time.time() * 1000)
    child = store.client.create_run(
        parent.info.experiment_id,
        start_time=end - int(trial.seconds * 1000),
        run_name=trial.title,
        tags={
            PARENT: run_id,
            _TRIAL: name,
            "lslm.state": trial.state,
            "lslm.pruned": str(trial.state == "pruned").lower(),
            **({} if trial.fold is None else {FOLD: str(trial.fold)}),
            "mlflow.source.name": "lslm",
            "mlflow.user": owners.person(),
            **owners.mine(),
        },
    ).info.run_id
    _log_values(store, child, trial, end)
    status = "FAILED" if trial.state == "failed" else "FINISHED"
    store.client.set_terminated(child, status, end_time=end)
    return child


def _logged(store: Store, experiment_id: str, run_id: str, name: str) -> str | None:
    """A child that did not come to its end was cut off while it was logged: it makes room for a whole one."""
    query = f"tags.`{_TRIAL}` = '{name}' AND tags.`{PARENT}` = '{run_id}'"
    for run in store.client.search_runs([experiment_id], query):
        if run.info.status in ("FINISHED", "FAILED"):
            return run.info.run_id
        # A deleted run keeps its status, and the bin is no place to be RUNNING in.
        store.client.set_terminated(run.info.run_id, "KILLED")
        store.client.delete_run(run.info.run_id)
    return None


def _log_values(store: Store, child: str, trial: TrialRecord, now: int) -> None:
    from mlflow.entities import Metric, Param

    points = [
        Metric(name, float(value), now, epoch)
        for epoch, metrics in trial.values
        for name, value in metrics.items()
    ]
    points.append(Metric("seconds", trial.seconds, now, 0))
    points += [Metric(name, value, now, 0) for name, value in trial.measured.items()]
    if trial.value is not None:
        points.append(Metric("value", trial.value, now, 0))
    params = [Param(name, str(value)) for name, value in trial.params.items()]
    for part in parts(points, LARGEST_BATCH):
        store.client.log_batch(child, metrics=part, params=params)
        params = []
