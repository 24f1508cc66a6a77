"""What all tests share: quiet libraries without telemetry, and Prefect only where asked for."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from lslm.cli.environment import DEFAULTS

os.environ.update(DEFAULTS)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["NO_COLOR"] = "1"
# Of a dumb terminal Rich expects nothing, so it shows no bars.
os.environ["TERM"] = "xterm"
for name in (
    "LSLM_POSTGRES_URL",
    "LSLM_STUDY_URL",
    "LSLM_WORKSPACE",
    "MLFLOW_TRACKING_URI",
    "PREFECT_API_URL",
    "PREFECT_HOME",
):
    os.environ.pop(name, None)


_OWN = dict(os.environ)


_SHARING = {
    "tests/flows/": "run",
    "tests/tasks/": "run",
    "tests/pretraining/": "pretrained",
    "tests/training/test_paces.py": "pretrained",
}
"""Files that share what takes long: a run of the tiny pipeline and a Prefect server, or language models."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run in several processes, those of a file stay in one, and those that share something too.

    Of xdist's own ways `loadgroup` does that, but not with pytest 9.2, which ignores the names it gives tests.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            shared = (name for start, name in _SHARING.items() if nodeid.startswith(start))
            return next(shared, nodeid.partition("::")[0])

    return Files(config, log)


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Commands set variables for what they start; no test may see another's."""
    yield
    for name in os.environ.keys() - _OWN.keys():
        if not name.startswith("PYTEST"):
            del os.environ[name]
    os.environ.update(_OWN)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server with a database of its own; it takes 16 to 25 s to start, so ask rarely."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield
