"""Runs find Prefect, MLflow and Optuna's storage in one order, and never by a dead server's word."""

import socket

import pytest

from lslm.cli.environment import prepare
from lslm.errors import InputError
from lslm.services import addresses, databases, processes, state
from lslm.services.processes import Process
from lslm.services.state import Database, State
from lslm.settings import TrackingSettings
from lslm.workspace import Workspace

DEFAULT = TrackingSettings()
SERVED = "http://127.0.0.1:5999"


@pytest.fixture(autouse=True)
def no_names(monkeypatch):
    for name in (addresses.PREFECT, addresses.MLFLOW, addresses.STUDY, "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path):
    return Workspace(tmp_path)


def served(home, **changes):
    """Write down servers that this test itself looks after."""
    values = {
        "host": socket.gethostname(),
        "token": "t",
        "owner": processes.this(),
        "ready": True,
        "prefect": "http://127.0.0.1:4999",
        "mlflow": SERVED,
        **changes,
    }
    state.write(home, State(**values))


def test_without_servers_all_is_sqlite_in_the_workspace(home):
    assert addresses.prefect_api(home) is None
    assert addresses.tracking_uri(DEFAULT, home) == home.tracking_uri
    assert addresses.study_url(DEFAULT, home) == home.study_url


def test_living_servers_are_used(home):
    served(home)
    assert addresses.prefect_api(home) == "http://127.0.0.1:4999/api"
    assert addresses.tracking_uri(DEFAULT, home) == SERVED
    assert addresses.study_url(DEFAULT, home) == home.study_url


@pytest.mark.parametrize(
    "changes",
    [{"ready": False}, {"owner": Process(pid=1, born=1.0)}, {"owner": None}, {"host": "elsewhere"}],
)
def test_servers_that_are_not_up_or_not_looked_after_are_not_used(home, changes):
    served(home, **changes)
    assert addresses.prefect_api(home) is None
    assert addresses.tracking_uri(DEFAULT, home) == home.tracking_uri


def test_settings_come_before_the_environment_and_both_before_servers(home, monkeypatch):
    served(home)
    monkeypatch.setenv(addresses.MLFLOW, "http://team:5000")
    monkeypatch.setenv(addresses.STUDY, "postgresql+psycopg2://team/studies")
    assert addresses.tracking_uri(DEFAULT, home) == "http://team:5000"
    assert addresses.study_url(DEFAULT, home) == "postgresql+psycopg2://team/studies"
    named = TrackingSettings(uri="http://mine", study_url="sqlite:///mine.db")
    assert addresses.tracking_uri(named, home) == "http://mine"
    assert addresses.study_url(named, home) == "sqlite:///mine.db"


def test_the_workspace_s_store_is_the_same_by_its_file_and_by_its_server(home, monkeypatch):
    by_file = addresses.store(DEFAULT, home)
    served(home, store=addresses.identity(home.tracking_uri, Database(), home))
    assert addresses.store(DEFAULT, home) == by_file
    # As a worker of `lslm up` finds it, and as a person may write it.
    for named in (SERVED, "http://localhost:5999/", home.tracking_uri):
        monkeypatch.setenv(addresses.MLFLOW, named)
        assert addresses.store(DEFAULT, home) == by_file


def test_the_embedded_database_is_the_same_at_another_port_and_while_it_sleeps(home):
    first, second = (
        databases.on(f"postgresql://me:pw@127.0.0.1:{port}/postgres", "embedded")
        for port in (5433, 5434)
    )
    found = []
    for database in (first, second):
        store = addresses.identity(database.mlflow, database, home)
        for awake in (True, False):
            changes = {} if awake else {"owner": None, "ready": False}
            served(home, database=database, store=store, **changes)
            found.append(addresses.store(DEFAULT, home))
    assert len(set(found)) == 1
    served(home, owner=None, ready=False)
    assert addresses.store(DEFAULT, home) not in found


def test_another_store_is_told_from_the_workspace_s_and_without_a_password(home):
    own = addresses.store(DEFAULT, home)
    served(home, store=own)
    uris = {
        "http://me:secret@team:5000/": "http://team:5000",
        "postgresql+psycopg2://me:secret@db:5432/mlflow": "postgresql://db:5432/mlflow",
        "postgresql:///mlflow?host=db&user=me&password=secret": "postgresql:///mlflow?host=db",
        "sqlite:////data/mlflow.db": "sqlite:////data/mlflow.db",
    }
    for uri, told in uris.items():
        assert addresses.store(TrackingSettings(uri=uri), home) == told
    served(home, mlflow="http://team:5000")
    assert addresses.store(DEFAULT, home) == "http://team:5000"


def test_a_given_database_is_used_while_no_server_runs(home):
    database = databases.on("postgresql://me:pw@db:5433/postgres?sslmode=require", "given")
    served(home, owner=None, ready=False, database=database)
    assert addresses.tracking_uri(DEFAULT, home) == (
        "postgresql+psycopg2://me:pw@db:5433/lslm_mlflow?sslmode=require"
    )
    assert database.prefect == "postgresql+asyncpg://me:pw@db:5433/lslm_prefect?ssl=require"


def test_the_history_is_not_split_while_the_embedded_database_sleeps(home):
    served(
        home, owner=None, ready=False, database=Database(kind="embedded", study="postgresql://x")
    )
    with pytest.raises(InputError, match="not running; expected `lslm up --detach` first"):
        addresses.study_url(DEFAULT, home)


def test_a_command_gets_the_address_of_prefect_unless_the_user_named_one(home, monkeypatch):
    import os

    monkeypatch.setattr(os, "environ", {**os.environ})
    served(home)
    prepare(home.root)
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4999/api"
    os.environ["PREFECT_API_URL"] = "http://team/api"
    prepare(home.root)
    assert os.environ["PREFECT_API_URL"] == "http://team/api"


def test_loopback_never_goes_through_a_proxy(home, monkeypatch):
    import os

    monkeypatch.setattr(os, "environ", {**os.environ, "no_proxy": "intranet"})
    prepare(home.root)
    assert os.environ["no_proxy"] == "intranet,127.0.0.1,localhost"


@pytest.mark.parametrize("url", ["mysql://db/x", "postgresql:///x", "db:5432"])
def test_what_is_no_postgresql_server_is_refused(url):
    with pytest.raises(InputError, match="not an address of PostgreSQL"):
        databases.on(url, "given")
