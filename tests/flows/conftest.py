"""The tiny pipeline, run once for all tests that look at what is then there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flows.tiny import lslm, written


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def report(home: Path) -> dict[str, Any]:
    done = lslm("run", "tiny.yaml", "--json", home=home)
    log = home / "workspace" / "lslm.log"
    assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def client(home: Path, report: dict[str, Any]) -> Any:
    from mlflow import MlflowClient

    uri = f"sqlite:///{home / 'workspace' / 'mlflow.db'}"
    return MlflowClient(uri, registry_uri=uri)
