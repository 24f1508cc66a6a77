"""Which store a connection finds, in a process that has known another."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lslm.errors import InputError
from lslm.settings import Settings
from lslm.tracking.store import Store, connect, experiment
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


class Shared:
    """A client of a store whose experiments were made on another machine."""

    def __init__(self, location: str) -> None:
        self.found = SimpleNamespace(
            artifact_location=location, lifecycle_stage="active", experiment_id="1"
        )

    def get_experiment_by_name(self, name: str) -> Any:
        return self.found


def test_files_of_an_experiment_that_lie_on_another_machine_are_told_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(location: str) -> str:
        client: Any = Shared(location)
        store = Store(client, "postgresql://db/mlflow", Workspace(tmp_path).create())
        return experiment(store, Settings(name="any"))

    for reached in ("mlflow-artifacts:/1", "s3://bucket/1", (tmp_path / "mlruns" / "1").as_uri()):
        assert asked(reached) == "1"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match=r"tracking\.uri.*keeps its files at /home/alice/1"):
        asked("file:///home/alice/1")
