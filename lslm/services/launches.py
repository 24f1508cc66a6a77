"""How each server is started, and how it is known to be healthy."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lslm.services import databases, health, postgres
from lslm.services.addresses import MLFLOW, PREFECT, STUDY
from lslm.workspace import Workspace

HOST = "127.0.0.1"
WORKER = "lslm"
"""Name of the worker in Prefect's pages."""
DATABASE, SERVERS, WORKERS = 0, 1, 2
"""Stages: the next one starts when the one before is healthy."""


@dataclass(frozen=True)
class Launch:
    """A server that is to be started."""

    name: str
    command: Sequence[str]
    healthy: Callable[[], bool]
    stage: int = SERVERS
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    children_first: bool = False
    port: int | None = None
    option: str = ""
    """That chooses the port."""


def embedded_postgres(workspace: Workspace, port: int) -> Launch:
    """The database of all; stopped at once rather than when the last client has gone."""
    url = postgres.url(workspace, port)
    return Launch(
        "PostgreSQL",
        postgres.command(workspace, port),
        lambda: databases.reachable(url),
        stage=DATABASE,
        stop_signal=signal.SIGINT,
        port=port,
    )


def prefect(port: int, database: str | None) -> Launch:
    """Prefect's API and pages; only its own pages may call it from a browser."""
    address = f"http://{HOST}:{port}"
    environment = {
        # The pages ask the address of the settings, which knows nothing of the option.
        "PREFECT_SERVER_UI_API_URL": f"{address}/api",
        # Any page of the web could start runs here otherwise: all origins are allowed by default.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{address},http://localhost:{port}",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    }
    if database is not None:
        environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database
    return Launch(
        "Prefect",
        _python("-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)),
        lambda: health.answers(f"{address}/api/health"),
        environment=environment,
        port=port,
        option="--port-prefect",
    )


def mlflow(port: int, store: str, artifacts: Path) -> Launch:
    """MLflow's API and pages over a database; its checks of host and origin stay as they are."""
    # One worker and no jobs: 2 processes and 0.5 GB instead of 15 and 2.1 GB.
    command = ("-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1")
    # Files stay readable without the server: it names the folder, it does not stand before it.
    root = ("--default-artifact-root", artifacts.as_uri())
    return Launch(
        "MLflow",
        _python(*command, *root),
        lambda: health.answers(f"http://{HOST}:{port}/health"),
        # Not on the command line, which others can read: it may hold a password.
        environment={
            "MLFLOW_BACKEND_STORE_URI": store,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
        port=port,
        option="--port-mlflow",
    )


def optuna(port: int, storage: str) -> Launch:
    """The dashboard of studies."""
    return Launch(
        "Optuna",
        _python("-m", "lslm.search.dashboard", HOST, str(port)),
        lambda: health.answers(f"http://{HOST}:{port}/dashboard"),
        environment={STUDY: storage},
        port=port,
        option="--port-optuna",
    )


def worker(api: str, pool: str, uses: Mapping[str, str], workspace: Workspace) -> Launch:
    """A Prefect worker that runs scheduled flows as processes; it makes the pool if need be."""
    before = health.last_heartbeat(api, pool, WORKER)
    options = ("--pool", pool, "--type", "process", "--name", WORKER, "--install-policy", "never")
    return Launch(
        "worker",
        _python("-m", "prefect", "worker", "start", *options),
        lambda: health.last_heartbeat(api, pool, WORKER) not in (None, before),
        stage=WORKERS,
        children_first=True,
        environment={PREFECT: api, **uses, "LSLM_WORKSPACE": str(workspace.root)},
    )


def uses(tracking: str, study: str) -> dict[str, str]:
    """Variables that name MLflow and Optuna's storage for the runs of a worker."""
    return {MLFLOW: tracking, STUDY: study}


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)
