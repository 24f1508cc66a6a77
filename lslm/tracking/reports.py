"""The reports that finished runs left in the store."""

import re
from pathlib import Path

from pydantic import ValidationError

from lslm.errors import InputError
from lslm.evaluation.report import RunReport
from lslm.settings import Settings
from lslm.tracking import versions
from lslm.tracking.store import Store

PAGE = "report/report.html"
FACTS = "report/report.json"
SETTINGS = "settings.yaml"
_RUN = re.compile(r"[0-9a-f]{32}")


def fetch(store: Store, reference: str) -> Path:
    """The page of a run, or of the run that made a model's version; on this machine where it is afar."""
    run_id = _finished(store, reference, PAGE)
    into = store.workspace.root / "reports" / run_id
    into.mkdir(parents=True, exist_ok=True)
    return Path(store.client.download_artifacts(run_id, PAGE, str(into)))


def fetch_record(store: Store, reference: str) -> tuple[Settings, RunReport]:
    """What a run was told to do, and what it came to.

    Addresses of databases among its settings have lost their passwords.
    """
    from ruamel.yaml import YAML

    run_id = _finished(store, reference, FACTS)
    with store.workspace.scratch() as folder:
        facts, settings = (
            Path(store.client.download_artifacts(run_id, name, str(folder))).read_text("utf-8")
            for name in (FACTS, SETTINGS)
        )
    try:
        return (
            Settings.model_validate(YAML(typ="safe").load(settings)),
            RunReport.model_validate_json(facts),
        )
    except ValidationError as error:
        raise InputError(
            f"its record cannot be read: {error.errors()[0]['msg']}",
            where=f"MLflow run {run_id}",
            right="a run of this version of lslm",
        ) from error


def _finished(store: Store, reference: str, needed: str) -> str:
    """The id of a run, or of the run that made a model's version, that left what is needed."""
    from mlflow.exceptions import MlflowException

    run_id = reference if _RUN.fullmatch(reference) else _run_of(store, reference)
    try:
        pages = [each.path for each in store.client.list_artifacts(run_id, "report")]
    except MlflowException as error:
        raise InputError(
            f"no run {run_id!r} in the store",
            where=store.uri.rsplit("@", 1)[-1],
            right="an id as `lslm models` shows it",
        ) from error
    if needed not in pages:
        raise InputError(
            "the run left no report", where=f"MLflow run {run_id}", right="a run that finished"
        )
    return run_id


def _run_of(store: Store, reference: str) -> str:
    name, *which = re.split("[@/]", reference, maxsplit=1)
    newest = versions.versions(store, name)[0]
    version = versions.find(store, name, which[0]) if which else newest
    return version.run_id or ""
