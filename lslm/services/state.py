"""What `lslm up` writes down: which processes it started, and where runs find them."""

import socket
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lslm.services.processes import Process
from lslm.workspace import Workspace

FOLDER = "services"
_FILE = f"{FOLDER}/state.json"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Database(_Record):
    """Where Prefect, MLflow and Optuna keep their tables; none: each its SQLite file."""

    kind: Literal["sqlite", "embedded", "given"] = "sqlite"
    """PostgreSQL is `embedded` where `lslm up` runs it, and `given` where someone else does."""
    prefect: str | None = None
    mlflow: str | None = None
    study: str | None = None


class Server(_Record):
    """One server that was started."""

    name: str
    process: Process
    stage: int
    """Stages are started in order and stopped in reverse."""
    stop_signal: int
    children_first: bool = False
    """Its children are asked to stop before itself: a worker would kill its flow runs, which then could
    not say that they ended."""
    log: Path


class State(_Record):
    """What runs for a workspace; the database is remembered when nothing runs."""

    host: str
    token: str
    """Of this session; the servers' processes carry it."""
    owner: Process | None = None
    """The `lslm up` itself."""
    ready: bool = False
    waiting: tuple[str, ...] = ()
    """Servers that are not healthy yet."""
    servers: tuple[Server, ...] = ()
    database: Database = Database()
    prefect: str | None = None
    """Address of the pages; the API is at `/api` below it."""
    mlflow: str | None = None
    store: str | None = None
    """Which one MLflow serves, without a password; None where the server is someone else's."""
    optuna: str | None = None
    pool: str | None = None

    @property
    def prefect_api(self) -> str | None:
        """What PREFECT_API_URL is to be."""
        return f"{self.prefect}/api" if self.prefect else None

    def here(self) -> bool:
        """Whether it tells of this machine; of others nothing can be known."""
        return self.host == socket.gethostname()

    def owned(self) -> bool:
        """Whether its `lslm up` lives."""
        return self.here() and self.owner is not None and self.owner.found() is not None


def read(workspace: Workspace) -> State | None:
    """What was written down; None where there is nothing that can be read."""
    value = workspace.read_json(_FILE)
    try:
        return None if value is None else State.model_validate(value)
    except ValidationError:
        return None


def write(workspace: Workspace, state: State) -> None:
    """Write it down, for this user's eyes only: a database address may hold a password."""
    workspace.write_json(_FILE, state.model_dump(mode="json"))


def folder(workspace: Workspace) -> Path:
    """Logs of the servers, and the embedded database."""
    return workspace.root / FOLDER


def serving(workspace: Workspace) -> State | None:
    """The state, if its servers are up and looked after."""
    state = read(workspace)
    return state if state is not None and state.ready and state.owned() else None
