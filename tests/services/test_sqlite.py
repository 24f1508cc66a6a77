import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lslm.services.sqlite import file_of, one_migration


def make(url: str) -> None:
    file = file_of(url)
    assert file is not None
    with closing(sqlite3.connect(file)) as fresh:
        fresh.execute("CREATE TABLE runs (id)")
        fresh.commit()


def test_tables_that_were_half_made_are_made_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"

    def die(fresh: str) -> None:
        make(fresh)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), one_migration(url, die):
        pass
    assert not (tmp_path / "runs.db").exists()
    with one_migration(url, make), closing(sqlite3.connect(tmp_path / "runs.db")) as there:
        assert there.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        assert there.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.db", "runs.db.lock"]


def test_tables_that_are_there_are_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    make(url)
    with one_migration(url, lambda fresh: pytest.fail("there are tables")):
        pass
