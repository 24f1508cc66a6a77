"""Which servers a session has: those that are wanted, less those that others run already."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from lslm.services import databases, health, launches, postgres, state
from lslm.services.addresses import MLFLOW, PREFECT, STUDY, identity
from lslm.services.launches import Launch
from lslm.services.sqlite import one_migration
from lslm.services.state import Database
from lslm.services.supervisor import Audience, Supervisor, free_port, refuse_taken, supervised
from lslm.settings import TrackingSettings
from lslm.workspace import Workspace


@dataclass(frozen=True)
class Wanted:
    """What `lslm up` was asked for."""

    tracking: TrackingSettings
    pool: str = "lslm"
    port_prefect: int = 4200
    port_mlflow: int = 5000
    port_optuna: int = 8080
    database: Literal["sqlite", "postgres"] | None = None
    """None: as before, SQLite at first."""
    postgres_url: str | None = None
    """None: an embedded server."""


@dataclass(frozen=True)
class _Addresses:
    """Where everything is or will be; `own` servers are to be started."""

    prefect: str
    mlflow: str
    store: str | None
    """Database of an MLflow server of our own."""
    study: str
    own_prefect: bool


@contextmanager
def session(wanted: Wanted, workspace: Workspace, audience: Audience) -> Iterator[Supervisor]:
    """The servers of a workspace, healthy inside the block and gone after it."""
    kept = state.read(workspace)
    before = kept.database if kept else Database()
    database = _chosen(wanted, before)
    with supervised(workspace, before, audience) as supervisor:
        if database.kind == "embedded":
            database = _embedded(supervisor, workspace)
        elif wanted.postgres_url is not None:
            databases.create(wanted.postgres_url)
        addresses = _addresses(wanted, workspace, database)
        _start(supervisor, wanted, workspace, database, addresses)
        yield supervisor


def _chosen(wanted: Wanted, before: Database) -> Database:
    if wanted.database == "sqlite":
        return Database()
    if wanted.database is None and before.kind != "embedded":
        return before
    databases.refuse_uninstalled()
    if wanted.database is not None and wanted.postgres_url is not None:
        return databases.on(wanted.postgres_url, "given")
    postgres.refuse_uninstalled()
    return Database(kind="embedded")


def _embedded(supervisor: Supervisor, workspace: Workspace) -> Database:
    postgres.prepared(workspace)
    port = free_port()
    supervisor.start([launches.embedded_postgres(workspace, port)])
    url = postgres.url(workspace, port)
    databases.create(url)
    return databases.on(url, "embedded")


def _addresses(wanted: Wanted, workspace: Workspace, database: Database) -> _Addresses:
    prefect, own_prefect = f"http://{launches.HOST}:{wanted.port_prefect}", True
    if named := os.environ.get(PREFECT):
        health.refuse_silent(PREFECT, named)
        prefect, own_prefect = named.rstrip("/").removesuffix("/api"), False
    mlflow = f"http://{launches.HOST}:{wanted.port_mlflow}"
    store = wanted.tracking.uri or os.environ.get(MLFLOW)
    if store is not None and urlsplit(store).scheme in ("http", "https"):
        health.refuse_silent("tracking.uri or " + MLFLOW, store)
        mlflow, store = store, None
    else:
        store = store or database.mlflow or workspace.tracking_uri
    named_study = wanted.tracking.study_url or os.environ.get(STUDY)
    study = named_study or database.study or workspace.study_url
    return _Addresses(prefect, mlflow, store, study, own_prefect)


def _start(
    supervisor: Supervisor,
    wanted: Wanted,
    workspace: Workspace,
    database: Database,
    addresses: _Addresses,
) -> None:
    own: list[Launch] = [launches.optuna(wanted.port_optuna, addresses.study)]
    if addresses.own_prefect:
        own.append(launches.prefect(wanted.port_prefect, database.prefect))
    if addresses.store is not None:
        own.append(launches.mlflow(wanted.port_mlflow, addresses.store, workspace.artifacts))
    refuse_taken(own)
    with ExitStack() as migrating:
        if addresses.store is not None:
            migrating.enter_context(one_migration(addresses.store))
        supervisor.start(own)
    api = f"{addresses.prefect}/api"
    uses = launches.uses(addresses.mlflow, addresses.study)
    supervisor.start([launches.worker(api, wanted.pool, uses, workspace)])
    supervisor.ready(
        database,
        prefect=addresses.prefect,
        mlflow=addresses.mlflow,
        store=addresses.store and identity(addresses.store, database, workspace),
        optuna=f"http://{launches.HOST}:{wanted.port_optuna}",
        pool=wanted.pool,
    )
