"""Where a run finds Prefect, MLflow and Optuna's storage; decided here and nowhere else.

In this order: what the settings name; what the environment names; the servers that `lslm up` runs for the
workspace, if they live; the database that it was told to use; SQLite files of the workspace.
"""

import os

from lslm.errors import InputError
from lslm.services import state
from lslm.settings import TrackingSettings
from lslm.workspace import Workspace

PREFECT, MLFLOW, STUDY = "PREFECT_API_URL", "MLFLOW_TRACKING_URI", "LSLM_STUDY_URL"
"""Variables that name servers."""


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


def study_url(settings: TrackingSettings, workspace: Workspace) -> str:
    """Address of Optuna's storage: a database."""
    if named := settings.study_url or os.environ.get(STUDY):
        return named
    return _database(workspace).study or workspace.study_url


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
