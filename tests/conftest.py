"""What all tests share: quiet libraries without telemetry, and Prefect only where asked for."""

import os
from collections.abc import Iterator

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


_SHARED = ("report", "prefect_server")
"""Fixtures that take long: tests that ask for one run in the same process."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in several processes, those of a file stay together; xdist reads the mark after this."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        group = next((name for name in _SHARED if name in names), str(item.path))
        item.add_marker(pytest.mark.xdist_group(group))


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
