"""The connection to MLflow: which store, which experiment, without any ambient run."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lslm.errors import InputError
from lslm.services.addresses import MLFLOW, tracking_uri
from lslm.services.patience import Patient, patiently
from lslm.services.sqlite import one_migration
from lslm.settings import Settings
from lslm.workspace import Workspace, existing

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ATTEMPTS = 8
_PASSING = ("IntegrityError", "database is locked", "deadlock detected")
"""Failures of a write that another writer caused and that are gone at the next attempt."""
_MODEL_TRAINING = "workflowType=machine_learning"
"""Without it MLflow's pages have the navigation of prompts and agents."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Store:
    """An MLflow tracking store and registry; safe to share between threads."""

    client: "MlflowClient"
    uri: str
    workspace: Workspace


def connect(settings: Settings, workspace: Workspace) -> Store:
    """Connect to `tracking.uri`, or to what serves the workspace, or to SQLite in it.

    A database that is away for a while is waited for, in each call. The first connection to a fresh
    store creates its tables (2 s; 3 s without WAL mode).
    """
    from mlflow import MlflowClient

    uri = tracking_uri(settings.tracking, workspace)
    make_default(uri)
    with one_migration(uri, lambda fresh: _make_tables(fresh, workspace)):
        client = patiently(lambda: MlflowClient(uri, uri))
    return Store(cast("MlflowClient", Patient(client)), uri, workspace)


def make_default(uri: str) -> None:
    """The registry resolves `models:/` addresses through MLflow's default, not through the client.

    MLflow writes the variable too, which is the user's: a later connection would take it for a wish.
    """
    from mlflow import set_registry_uri, set_tracking_uri

    wished = os.environ.get(MLFLOW)
    set_tracking_uri(uri)
    set_registry_uri(uri)
    if wished is None:
        os.environ.pop(MLFLOW, None)
    else:
        os.environ[MLFLOW] = wished


def experiment(store: Store, settings: Settings) -> str:
    """The id of the pipeline's experiment, made if need be.

    One that is deleted, or whose files are on another machine, raises InputError.
    """
    name = settings.tracking.experiment or settings.name
    found = store.client.get_experiment_by_name(name)
    if found is None:
        return _create_experiment(store, name)
    if found.lifecycle_stage != "active":
        raise InputError(
            f"the MLflow experiment {name!r} is deleted",
            where="tracking.experiment",
            right="another name, or the experiment restored in MLflow",
        )
    _check_reach(store, name, found.artifact_location)
    return found.experiment_id


def run_address(store: Store, run_id: str, server: str) -> str:
    """Where a person sees a run, on an MLflow server at `server` such as `http://localhost:5000`."""
    experiment_id = store.client.get_run(run_id).info.experiment_id
    return f"{server.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}?{_MODEL_TRAINING}"


def insisting(write: Callable[[], Result]) -> Result:
    """Do a write, again where another writer got in its way; what the client does not wait for is raised."""
    from mlflow.exceptions import MlflowException

    for attempt in range(_ATTEMPTS):
        try:
            return write()
        except MlflowException as error:
            if attempt == _ATTEMPTS - 1 or not any(sign in str(error) for sign in _PASSING):
                raise
            time.sleep(random.uniform(0.5, 1.5) * 0.02 * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def local_path(location: str) -> Path | None:
    """The path of an artifact location on this machine, or None where it is elsewhere."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return Path(location) if parts.scheme == "" else None


def _check_reach(store: Store, name: str, location: str) -> None:
    """What several machines share may keep its files on one of them."""
    folder = None if urlsplit(store.uri).scheme == "sqlite" else local_path(location)
    if folder is None:
        return
    if not os.access(existing(folder), os.W_OK):
        raise InputError(
            f"the MLflow experiment {name!r} keeps its files at {folder}, where nothing can be written here",
            where="tracking.uri",
            right="an MLflow server that keeps files itself; or another tracking.experiment",
        )


def _make_tables(uri: str, workspace: Workspace) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(uri, workspace.artifacts.as_uri()).engine.dispose()


def _create_experiment(store: Store, name: str) -> str:
    from mlflow.exceptions import MlflowException

    served = urlsplit(store.uri).scheme in ("http", "https")
    location = None if served else store.workspace.artifacts.as_uri()
    try:
        return store.client.create_experiment(name, artifact_location=location)
    except MlflowException as error:
        found = store.client.get_experiment_by_name(name)
        if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
            raise
        return found.experiment_id
