"""Which store a connection finds, in a process that has known another."""

import os
from pathlib import Path

import pytest

from lslm.settings import Settings
from lslm.tracking.store import connect
from lslm.workspace import Workspace


def test_a_second_workspace_does_not_get_the_first_ones_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    settings = Settings(name="any")
    uris = {
        name: connect(settings, Workspace(tmp_path / name).create()).uri for name in ("one", "two")
    }
    assert str(tmp_path / "one") in uris["one"]
    assert str(tmp_path / "two") in uris["two"]


def test_the_users_variable_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wished = f"sqlite:///{tmp_path / 'wished.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wished)
    named = Settings.model_validate(
        {"name": "any", "tracking": {"uri": f"sqlite:///{tmp_path / 'named.db'}"}}
    )
    assert connect(named, Workspace(tmp_path).create()).uri.endswith("named.db")
    assert os.environ["MLFLOW_TRACKING_URI"] == wished
