import sqlite3
import threading
from pathlib import Path

import pytest

from lslm.services.patience import Patient, patiently


def failing(times: int, error: Exception):
    left = iter([error] * times)

    def call() -> str:
        for each in left:
            raise each
        return "done"

    return call


def test_a_database_that_comes_back_is_waited_for():
    assert (
        patiently(failing(3, RuntimeError("server closed the connection unexpectedly"))) == "done"
    )


def test_one_that_does_not_come_back_is_told_in_the_end():
    with pytest.raises(RuntimeError, match="Connection refused"):
        patiently(failing(99, RuntimeError("Connection refused")), patience=0.2)


def test_what_is_wrong_with_the_question_is_told_at_once():
    call = failing(1, ValueError("no such column"))
    with pytest.raises(ValueError, match="no such column"):
        patiently(call)
    assert call() == "done"


def test_the_cause_of_an_error_counts():
    error = RuntimeError("the storage failed")
    error.__cause__ = sqlite3.OperationalError("database is locked")
    assert patiently(failing(1, error)) == "done"


def test_a_locked_file_is_waited_for(tmp_path: Path):
    file = tmp_path / "runs.db"
    holder = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE runs (id)")
    holder.execute("BEGIN EXCLUSIVE")
    with sqlite3.connect(file, timeout=0) as writer:
        client = Patient(writer)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.execute("INSERT INTO runs VALUES (1)")
        threading.Timer(0.2, lambda: holder.execute("COMMIT")).start()
        client.execute("INSERT INTO runs VALUES (1)")
        assert client.in_transaction
