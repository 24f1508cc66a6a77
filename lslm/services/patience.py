"""Waiting for a database that is away for a while: locked by another, restarted, or out of reach."""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

PATIENCE = 600.0
"""Seconds after which a database that is away counts as gone."""
_LONGEST_PAUSE = 10.0
_AWAY = (
    # SQLite, held by another writer for longer than its own timeout.
    "database is locked",
    "database table is locked",
    # PostgreSQL, stopped, starting, or cut off.
    "server closed the connection",
    "terminating connection",
    "connection to server",
    "could not connect",
    "connection refused",
    "connection already closed",
    "the database system is",
    "ssl connection has been closed",
)
"""What a library says, in lower case, of a database that is away. Nothing was written then, except where the
connection broke between a commit and its answer."""

Result = TypeVar("Result")


def away(error: BaseException) -> bool:
    """Whether the error says that a database is away, and not that something is wrong with what was asked.

    Example:
        >>> away(RuntimeError("(sqlite3.OperationalError) database is locked"))
        True
        >>> away(RuntimeError("(sqlite3.OperationalError) no such table: runs"))
        False
    """
    seen: BaseException | None = error
    while seen is not None:
        text = str(seen).lower()
        if any(sign in text for sign in _AWAY):
            return True
        seen = seen.__cause__
    return False


def patiently(
    call: Callable[[], Result],
    passes: Callable[[BaseException], bool] = away,
    patience: float = PATIENCE,
) -> Result:
    """Do a call; again, for `patience` seconds, as long as its failure `passes`. Other errors are raised.

    What is called must bear being done twice: the answer of a write that was done can be what was lost.
    """
    end, pause = time.monotonic() + patience, 0.1
    while True:
        try:
            return call()
        except Exception as error:
            left = end - time.monotonic()
            if left <= 0 or not passes(error):
                raise
        time.sleep(min(left, pause * random.uniform(0.5, 1.0)))
        pause = min(2 * pause, _LONGEST_PAUSE)


class Patient:
    """A client of a database, each of whose calls waits while the database is away."""

    def __init__(self, client: Any, patience: float = PATIENCE) -> None:
        self._client, self._patience = client, patience

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not callable(value):
            return value
        return lambda *given, **named: patiently(
            lambda: value(*given, **named), patience=self._patience
        )
