"""SQLite files that several processes write."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock


def file_of(url: str) -> Path | None:
    """The file of an SQLite address; None for other databases and for memory.

    Example:
        >>> file_of("sqlite:////data/mlflow.db")
        PosixPath('/data/mlflow.db')
        >>> file_of("postgresql://localhost/mlflow")
    """
    prefix, _, path = url.partition(":///")
    return Path(path) if prefix == "sqlite" and path not in ("", ":memory:") else None


@contextmanager
def one_migration(url: str) -> Iterator[None]:
    """The block in which tables may be made: two processes that migrate one fresh file break it.

    Readers and a writer then work side by side (WAL mode, kept in the file).
    """
    file = file_of(url)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f"{file.name}.lock")):
        with closing(sqlite3.connect(file, timeout=20)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        yield
