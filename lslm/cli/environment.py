"""What the libraries read from the environment, set in one place before any of them is imported."""

import os
from pathlib import Path

DEFAULTS = {
    # Nothing leaves the machine unless a setting names an address.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    # A busy machine needs longer than the default of 20 s to start Prefect's server.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    # What the library warns of shows in the log of the flow run.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "lslm",
    # A planted pickle in the store would be executed.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "KERAS_BACKEND": "tensorflow",
    "TOKENIZERS_PARALLELISM": "false",
}
_LOOPBACK = "127.0.0.1,localhost"


def prepare(workspace: Path, use_servers: bool = True) -> None:
    """Set what the user has not set; Prefect's address too, where `lslm up` serves the workspace."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    _reach_this_machine()
    if secret := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        os.environ.setdefault("PREFECT_API_AUTH_STRING", secret)
    if "PREFECT_API_URL" in os.environ:
        return
    os.environ.setdefault("PREFECT_HOME", str(workspace.absolute() / "prefect"))
    if use_servers:
        _use_served(workspace)


def _use_served(workspace: Path) -> None:
    from lslm.services.addresses import prefect_api
    from lslm.workspace import Workspace

    if api := prefect_api(Workspace(workspace)):
        os.environ["PREFECT_API_URL"] = api


def _reach_this_machine() -> None:
    """A proxy knows nothing of servers on this machine."""
    for name in ("no_proxy", "NO_PROXY"):
        given = os.environ.get(name, "")
        if "127.0.0.1" not in given and given != "*":
            os.environ[name] = f"{given},{_LOOPBACK}".lstrip(",")
