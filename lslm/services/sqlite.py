"""SQLite files that several processes write."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock

from lslm import unfinished


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
def one_migration(url: str, make: Callable[[str], None] | None = None) -> Iterator[None]:
    """The block in which tables may be made: two processes that migrate one fresh file break it.

    So does one that is killed half-way, for good. `make` makes the tables at an address beside it, where
    the file is missing; it takes its place when it is whole. Readers and a writer then work side by side
    (WAL mode, kept in the file).
    """
    file = file_of(url)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f"{file.name}.lock")):
        if make is not None and not file.exists():
            _make_whole(file, make)
        with closing(sqlite3.connect(file, timeout=20)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        yield


def _make_whole(file: Path, make: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(
        dir=file.parent, prefix=f".{file.name}.{unfinished.mark()}"
    ) as folder:
        fresh = Path(folder) / file.name
        make(f"sqlite:///{fresh}")
        with fresh.open("rb") as made:
            os.fsync(made.fileno())
        fresh.rename(file)
