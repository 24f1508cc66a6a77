"""The reports that finished runs left in the store."""

import re
from pathlib import Path

from lslm.errors import InputError
from lslm.tracking import versions
from lslm.tracking.store import Store

PAGE = "report/report.html"
_RUN = re.compile(r"[0-9a-f]{32}")


def fetch(store: Store, reference: str) -> Path:
    """The page of a run, or of the run that made a model's version; on this machine where it is afar."""
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
    if PAGE not in pages:
        raise InputError(
            "the run left no page", where=f"MLflow run {run_id}", right="a run that finished"
        )
    into = store.workspace.root / "reports" / run_id
    into.mkdir(parents=True, exist_ok=True)
    return Path(store.client.download_artifacts(run_id, PAGE, str(into)))


def _run_of(store: Store, reference: str) -> str:
    name, *which = re.split("[@/]", reference, maxsplit=1)
    newest = versions.versions(store, name)[0]
    version = versions.find(store, name, which[0]) if which else newest
    return version.run_id or ""
