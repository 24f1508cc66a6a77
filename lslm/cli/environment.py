"""What the libraries read from the environment, set in one place before any of them is imported."""

import os
from pathlib import Path

DEFAULTS = {
    # Nothing leaves the machine unless a setting names an address.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A busy machine needs longer than the default of 20 s to start Prefect's server.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    # A planted pickle in the store would be executed.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "KERAS_BACKEND": "tensorflow",
    "TOKENIZERS_PARALLELISM": "false",
}


def prepare(workspace: Path) -> None:
    """Set what the user has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if not {"PREFECT_HOME", "PREFECT_API_URL"} & os.environ.keys():
        os.environ["PREFECT_HOME"] = str(workspace.absolute() / "prefect")
