"""Storages by their address, and patience with one that is away."""

import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial
from sqlalchemy.exc import OperationalError

from lslm.errors import InputError
from lslm.search import storage
from lslm.search.judge import Judge
from lslm.search.study import Study
from lslm.services import patience
from tests.search.test_study import SPACE, study


def failing(n_times: int, error: Exception) -> list[int]:
    """A call that fails so often and then answers; its calls are counted."""
    calls: list[int] = []

    def call() -> str:
        calls.append(1)
        if len(calls) <= n_times:
            raise error
        return "there"

    assert storage.patiently(call) == "there"
    return calls


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_LONGEST_PAUSE", 0.01)


def test_a_storage_that_is_away_is_asked_again() -> None:
    away = optuna.exceptions.StorageInternalError("away")
    away.__cause__ = OperationalError("SELECT 1", None, Exception("gone"))
    assert len(failing(3, away)) == 4


def test_what_is_wrong_for_good_is_raised_at_once() -> None:
    with pytest.raises(ValueError, match="wrong"):
        failing(1, ValueError("wrong"))


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "PATIENCE", 0.1)
    with pytest.raises(OperationalError):
        failing(10**6, OperationalError("SELECT 1", None, Exception("gone")))


def test_a_file_that_another_writer_holds_is_waited_for(tmp_path: Path) -> None:
    opened = study(tmp_path)
    ticket = opened.ask()
    with closing(sqlite3.connect(tmp_path / "optuna.db", check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(1.0, other.rollback).start()
        began = time.monotonic()
        opened.tell(ticket, 0.5, 1)
    assert time.monotonic() - began > 0.9
    assert opened.n_left() == 2


def test_sqlite_lets_readers_and_a_writer_work_side_by_side(tmp_path: Path) -> None:
    study(tmp_path)
    with closing(sqlite3.connect(tmp_path / "optuna.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_trials_that_ended_are_read_once_by_all_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = study(tmp_path, n_trials=9)
    for _ in range(4):
        opened.tell(opened.ask(), 0.5, 1)
    assert opened.n_left() == 5
    read: list[int] = []
    get = optuna.storages.RDBStorage._get_trials

    def counted(self: optuna.storages.RDBStorage, *given: Any, **named: Any) -> list[FrozenTrial]:
        found = get(self, *given, **named)
        read.append(sum(trial.state.is_finished() for trial in found))
        return found

    monkeypatch.setattr(optuna.storages.RDBStorage, "_get_trials", counted)
    for _ in range(3):
        Judge(opened.ask()).hear(0.4, 1)
    assert read
    assert max(read) == 0


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    """Optuna's proxy on a free port, before an SQLite file."""
    from optuna.storages._grpc.server import make_server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    behind = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'behind.db'}")
    server = make_server(behind, "127.0.0.1", port)
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None)


def test_a_search_goes_through_the_proxy(proxy: str) -> None:
    from lslm import heads
    from lslm.settings import Hyperparameters, SearchSettings

    opened = Study(
        "toy",
        proxy,
        heads.get("classify").goal,
        SearchSettings(n_trials=2),
        SPACE,
        Hyperparameters(),
    )
    lost = opened.ask()
    assert Judge(lost).hear(0.4, 1)
    again = Study(
        "toy",
        proxy,
        heads.get("classify").goal,
        SearchSettings(n_trials=2),
        SPACE,
        Hyperparameters(),
    )
    ticket = again.ask()
    assert ticket.number == lost.number
    again.tell(ticket, 0.5, 1)
    assert again.n_left() == 1


@pytest.mark.parametrize("url", ["grpc://here", "grpc://127.0.0.1:1"])
def test_an_address_without_a_proxy_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_BUSY", 0.1)
    with pytest.raises(InputError, match="grpc://HOST:PORT|no proxy"):
        storage.opened(url)
