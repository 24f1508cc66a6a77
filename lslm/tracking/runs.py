"""One MLflow run a pipeline run: opened, taken up again after a crash, and closed."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import lslm
from lslm import owners
from lslm.errors import InputError
from lslm.settings import Hyperparameters, Settings
from lslm.tracking.logbook import (
    Measured,
    as_params,
    dotted,
    log_dataset,
    log_params,
    log_stage,
    log_table,
)
from lslm.tracking.store import Store, experiment
from lslm.tracking.trials import PARENT, TrialRecord, log_trial

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = [
    "Measured",
    "TrialRecord",
    "close_run",
    "end_dead",
    "holdout_uses",
    "log_chosen",
    "log_dataset",
    "log_stage",
    "log_table",
    "log_trial",
    "note_holdout_use",
    "note_same",
    "note_system",
    "open_run",
    "run_key",
]

Status = Literal["FINISHED", "FAILED", "KILLED"]

_SYSTEM, _SAME = "lslm.system", "lslm.same_as"
_NOTE = "mlflow.note.content"
"""MLflow's own tag of a run's description."""
_KEY, _RESUMED, _HOLDOUT = "lslm.key", "lslm.resumed", "lslm.holdout_scored"
_GIVEN_UP = "lslm.given_up"
_FLOW_RUN = "prefect.flow_run_id"
_ELSEWHERE = {"workspace", "tracking", "execution"}
"""Settings that say where things are kept or done, not what is done."""
_CHOSEN = {"encoder", "training"}
"""Settings that the search may change; `log_chosen` logs what they became."""


def open_run(
    store: Store,
    settings: Settings,
    *,
    digests: Mapping[str, str],
    name: str,
    flow_run_id: str | None = None,
    flow_run_url: str | None = None,
    left: str = "",
) -> str:
    """The id of this pipeline run's MLflow run: an unfinished one with the same key, or a new one.

    Call it in the process that lives as long as the pipeline run, after `end_dead`. Of the runs that
    did not finish, the newest of this machine with the same settings, digests and version is taken up again. So is
    the run `left`, of a pipeline run that was killed when it had just finished that one.
    """
    experiment_id = experiment(store, settings)
    key = run_key(settings, digests)
    tags = _tags(key, digests, flow_run_id, flow_run_url)
    unfinished = _unfinished(store, experiment_id, key, left)
    if unfinished is None:
        run = store.client.create_run(experiment_id, tags=tags, run_name=name)
        store.client.log_text(run.info.run_id, _rendered(settings), "settings.yaml")
        store.client.log_dict(run.info.run_id, dict(digests), "sources.json")
    else:
        run = unfinished
        store.client.update_run(run.info.run_id, status="RUNNING")
        tags[_RESUMED] = str(int(run.data.tags.get(_RESUMED, "0")) + 1)
    log_params(store, run.info.run_id, _compared(settings), tags)
    return run.info.run_id


def end_dead(store: Store, settings: Settings) -> None:
    """End runs of this experiment whose process on this machine is gone, as KILLED."""
    dead = [
        run
        for run in _search(store, [experiment(store, settings)], "attributes.status = 'RUNNING'")
        if owners.is_dead(run.data.tags)
    ]
    for run in dead:
        store.client.set_terminated(run.info.run_id, "KILLED")


def close_run(store: Store, run_id: str, status: Status) -> None:
    """End a run, and with it whatever child was left running."""
    experiment_id = store.client.get_run(run_id).info.experiment_id
    mine = f"attributes.status = 'RUNNING' AND tags.`{PARENT}` = '{run_id}'"
    for child in _search(store, [experiment_id], mine):
        store.client.set_terminated(child.info.run_id, "KILLED")
    store.client.set_terminated(run_id, status)


def run_key(settings: Settings, digests: Mapping[str, str]) -> str:
    """What makes two pipeline runs the same: settings that matter, data, lslm's version."""
    content = {
        "settings": settings.model_dump(mode="json", exclude=_ELSEWHERE),
        "digests": dict(digests),
        "version": lslm.__version__,
    }
    return _digest(content)


def log_chosen(store: Store, run_id: str, chosen: Hyperparameters) -> None:
    """Log the hyperparameters the search chose as parameters of the run, by dotted name.

    MLflow keeps a parameter as it was first told. Where the run was cut off after another choice, as by an earlier
    search whose results are gone, it is given up: InputError, and the next run has one of its own.
    """
    params = dotted(chosen.model_dump(mode="json"))
    known = store.client.get_run(run_id).data.params
    if any(known.get(name, value) != value for name, value in as_params(params).items()):
        store.client.set_tag(run_id, _GIVEN_UP, "other hyperparameters were chosen since")
        raise InputError(
            f"the MLflow run {run_id} was cut off with other hyperparameters than were chosen now",
            right="the same run once more: it does nothing again, and has an MLflow run of its own",
        )
    log_params(store, run_id, params, {})


def note_holdout_use(store: Store, run_id: str, digest: str) -> int:
    """Note that this run scored the holdout whose documents have this digest; returns how many runs have."""
    store.client.set_tag(run_id, _HOLDOUT, digest)
    return holdout_uses(store, digest)


def note_system(store: Store, run_id: str, system: str) -> None:
    """Note which system this run registers: what its metrics without a system's name tell of."""
    store.client.set_tag(run_id, _SYSTEM, system)


def note_same(store: Store, run_id: str, other: str) -> None:
    """Note that this run came to what the run `other` shows, and shows nothing of its own."""
    store.client.set_tag(run_id, _SAME, other)
    known = store.client.get_run(run_id).data.tags.get(_NOTE, "")
    said = f"Nothing new came of this run: scores, report and model stand on the run `{other}`."
    if said not in known:
        store.client.set_tag(run_id, _NOTE, f"{known}\n\n{said}".strip())


def holdout_uses(store: Store, digest: str) -> int:
    """How many runs, of all experiments, have scored the holdout with this digest."""
    experiments = [each.experiment_id for each in store.client.search_experiments()]
    return sum(1 for _ in _search(store, experiments, f"tags.`{_HOLDOUT}` = '{digest}'"))


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _unfinished(store: Store, experiment_id: str, key: str, left: str) -> "Run | None":
    same = _search(store, [experiment_id], f"tags.`{_KEY}` = '{key}'")
    return next((run for run in same if _free(run, left)), None)


def _free(run: "Run", left: str) -> bool:
    if run.info.status == "RUNNING":
        return owners.is_mine(run.data.tags)
    if _GIVEN_UP in run.data.tags:
        return False
    over = run.info.status in ("KILLED", "FAILED")
    return (over and owners.is_here(run.data.tags)) or run.info.run_id == left


def _search(store: Store, experiments: list[str], query: str) -> Iterator["Run"]:
    """Runs that match, newest first."""
    token = None
    while True:
        page = store.client.search_runs(
            experiments, query, order_by=["attributes.start_time DESC"], page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _tags(
    key: str, digests: Mapping[str, str], flow_run_id: str | None, flow_run_url: str | None
) -> dict[str, str]:
    tags = {
        _KEY: key,
        "lslm.version": lslm.__version__,
        "mlflow.source.name": "lslm",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": owners.person(),
        **owners.mine(),
        # Files have names that no tag may have, and a folder has thousands: `sources.json` names them.
        "lslm.digest.sources": _digest(dict(digests)),
    }
    if flow_run_id:
        tags[_FLOW_RUN] = flow_run_id
    if flow_run_url:
        tags["prefect.flow_run_url"] = flow_run_url
        tags[_NOTE] = f"[Prefect flow run]({flow_run_url})"
    return tags


def _compared(settings: Settings) -> dict[str, Any]:
    """Settings by dotted name, as far as a person compares runs by them."""
    values = settings.model_dump(mode="json", exclude=_ELSEWHERE | _CHOSEN | {"name"})
    return dotted(values)


def _masked(value: str | None) -> str | None:
    """An address without its password: whoever browses runs reads the settings.

    Example:
        >>> _masked("postgresql://me:secret@db/optuna")
        'postgresql://me:***@db/optuna'
    """
    return value and re.sub(r"(://[^:/@]*:)[^@/]*@", r"\1***@", value)


def _rendered(settings: Settings) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    writer, text = YAML(), StringIO()
    writer.default_flow_style = False
    values = settings.model_dump(mode="json")
    values["tracking"] = {name: _masked(value) for name, value in values["tracking"].items()}
    writer.dump(values, text)
    return text.getvalue()
