"""Runs, lineage, the registry and its gate; the only importer of MLflow.

MLflow reads these variables when it is imported, so they are set here, before any module below.
"""

import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# A lock file in the working folder would be copied into every model as its requirements.
os.environ["MLFLOW_UV_AUTO_DETECT"] = "false"
