"""What all tests share: quiet libraries without telemetry, and Prefect only where asked for."""

import os
from collections.abc import Iterator

import pytest

from lslm.cli.environment import DEFAULTS

os.environ.update(DEFAULTS)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["NO_COLOR"] = "1"
for name in ("LSLM_WORKSPACE", "MLFLOW_TRACKING_URI", "PREFECT_API_URL"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server with a database of its own; it takes 16 to 25 s to start, so ask rarely."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield
