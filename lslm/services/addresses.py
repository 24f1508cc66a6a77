"""Where a run finds Prefect, MLflow and Optuna's storage; decided here and nowhere else.

In this order: what the settings name; what the environment names; the servers that `lslm up` runs for the
workspace, if they live; the database that it was told to use; SQLite files of the workspace.
"""

import os
from urllib.parse import parse_qsl, urlencode, urlsplit

from lslm.errors import InputError
from lslm.services import state
from lslm.services.sqlite import file_of
from lslm.settings import TrackingSettings
from lslm.workspace import Workspace

PREFECT, MLFLOW, STUDY = "PREFECT_API_URL", "MLFLOW_TRACKING_URI", "LSLM_STUDY_URL"
"""Variables that name servers."""
_WHO = ("user", "password", "sslpassword")
"""What a database may be told in the query of its address as well."""


def prefect_api(workspace: Workspace) -> str | None:
    """Address of Prefect's API; None where no server runs, and Prefect starts one for the run."""
    if named := os.environ.get(PREFECT):
        return named
    served = state.serving(workspace)
    return served.prefect_api if served else None


def tracking_uri(settings: TrackingSettings, workspace: Workspace) -> str:
    """Address of MLflow: a server, or a database."""
    if named := settings.uri or os.environ.get(MLFLOW):
        return named
    served = state.serving(workspace)
    if served is not None and served.mlflow is not None:
        return served.mlflow
    return _database(workspace).mlflow or workspace.tracking_uri


def store(settings: TrackingSettings, workspace: Workspace) -> str:
    """Which store `tracking_uri` leads to: the same by its file and by the server that `lslm up` runs over it."""
    named = settings.uri or os.environ.get(MLFLOW)
    served = state.serving(workspace)
    if served is not None and served.mlflow is not None:
        address = _plain(served.mlflow)
        if named is None or _plain(named) == address:
            return served.store or address
    known = state.read(workspace)
    database = known.database if known else state.Database()
    return identity(named or database.mlflow or workspace.tracking_uri, database, workspace)


def identity(uri: str, database: state.Database, workspace: Workspace) -> str:
    """Which store is at an address, without a password.

    The workspace's own have names: the port of its PostgreSQL changes, and so does the path of a moved folder.
    """
    if database.kind == "embedded" and uri == database.mlflow:
        return "PostgreSQL of the workspace"
    if _plain(uri) == _plain(workspace.tracking_uri):
        return "SQLite of the workspace"
    return _plain(uri)


def study_url(settings: TrackingSettings, workspace: Workspace) -> str:
    """Address of Optuna's storage: a database."""
    if named := settings.study_url or os.environ.get(STUDY):
        return named
    return _database(workspace).study or workspace.study_url


def _plain(uri: str) -> str:
    """An address without what only the way to the store depends on: driver, user, password, spelling."""
    if file := file_of(uri):
        return f"sqlite:///{file.absolute()}"
    parts = urlsplit(uri)
    kind, where = parts.scheme.partition("+")[0], parts.netloc.rpartition("@")[2]
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in _WHO]
    path = parts.path.rstrip("/") + (f"?{urlencode(query)}" if query else "")
    return f"{kind}://{where.replace('localhost', '127.0.0.1')}{path}" if kind else uri


def _database(workspace: Workspace) -> state.Database:
    known = state.read(workspace)
    if known is None:
        return state.Database()
    if known.database.kind == "embedded" and state.serving(workspace) is None:
        # SQLite instead would split the history in two.
        raise InputError(
            "runs and models are in the embedded PostgreSQL, which is not running",
            where=str(workspace.root),
            right="`lslm up --detach` first (or `lslm up --sqlite`, to start anew on SQLite)",
        )
    return known.database
