"""A fitted model put into the registry, once, whatever interrupts it."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lslm.errors import InputError
from lslm.settings import Settings
from lslm.tracking.logbook import as_params
from lslm.tracking.package import Candidate, save_package
from lslm.tracking.store import Store, local_path
from lslm.tracking.versions import (
    CHALLENGER,
    KEY,
    LOGGED,
    MODEL,
    PACKAGE,
    REPORT,
    SCORE,
    logged_id,
    move_alias,
    versions,
)
from lslm.workspace import digest

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

_VERSIONS = "mlflow.modelVersions"
"""MLflow's own tag of a logged model: the versions it is registered as."""
_LONGEST_CARD = 5000
"""Characters of a version's description in MLflow's tables."""


def register(store: Store, settings: Settings, candidate: Candidate) -> str:
    """Register a model under the pipeline's name; returns the version. The newest has the alias `challenger`.

    The same model of the same run is registered once: after a crash the second call takes up what
    is there and clears away what is half done.
    """
    name, model_digest = settings.model_name, digest(candidate.folder)
    key = hashlib.sha256(f"{candidate.run_id} {model_digest}".encode()).hexdigest()
    _create_name(store, name)
    found = _registered(store, name, key)
    if found is None:
        logged = _logged_model(store, candidate, key)
        tags = {
            KEY: key,
            MODEL: model_digest,
            PACKAGE: logged.tags[PACKAGE],
            REPORT: candidate.report,
            **{f"lslm.digest.{part}": value for part, value in candidate.data.items()},
            SCORE: candidate.score,
        }
        found = store.client.create_model_version(
            name,
            f"{LOGGED}{logged.model_id}",
            run_id=candidate.run_id,
            tags=tags,
            description=_fitting(candidate.card),
            model_id=logged.model_id,
        )
    version = str(found.version)
    _link_version(store, name, found)
    if version == str(versions(store, name)[0].version):
        # A run that goes on after a newer one leaves the alias there.
        move_alias(store, name, CHALLENGER, version)
    return version


def annotate(
    store: Store, name: str, version: str, *, card: str | None = None, tags: Mapping[str, str]
) -> None:
    """Add what is known only after registration, such as the gate's decision."""
    if card is not None:
        store.client.update_model_version(name, version, _fitting(card))
    for key, value in tags.items():
        store.client.set_model_version_tag(name, version, key, value)


def _fitting(card: str) -> str:
    """PostgreSQL refuses a description that is longer than its column."""
    if len(card) <= _LONGEST_CARD:
        return card
    rest = "\n\n(cut here; the whole card is `report/card.md` on the MLflow run)\n"
    return card[: _LONGEST_CARD - len(rest)] + rest


def _registered(store: Store, name: str, key: str) -> "ModelVersion | None":
    try:
        return next((v for v in versions(store, name) if v.tags.get(KEY) == key), None)
    except InputError:
        return None


def _logged_model(store: Store, candidate: Candidate, key: str) -> "LoggedModel":
    """The finished MLflow model with this key; what a killed process began is cleared away."""
    experiment_id = store.client.get_run(candidate.run_id).info.experiment_id
    for old in store.client.search_logged_models([experiment_id], f"tags.`{KEY}` = '{key}'"):
        if str(old.status) == "READY":
            return old
        _clear(store, old)
    with store.workspace.scratch() as scratch:
        package = scratch / "package"
        save_package(package, scratch, candidate)
        logged = store.client.create_logged_model(
            experiment_id,
            name="model",
            source_run_id=candidate.run_id,
            tags={KEY: key, PACKAGE: digest(package)},
            params=as_params(candidate.params),
        )
        store.client.log_model_artifacts(logged.model_id, str(package))
    store.client.finalize_logged_model(logged.model_id, "READY")
    _link(store, candidate.run_id, logged.model_id)
    return store.client.get_logged_model(logged.model_id)


def _link(store: Store, run_id: str, model_id: str) -> None:
    from mlflow.entities import LoggedModelOutput

    store.client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])


def _link_version(store: Store, name: str, version: "ModelVersion") -> None:
    """On the model's page, as `mlflow.register_model` does; `create_model_version` leaves it to a server."""
    model_id = logged_id(version)
    entry = {"name": name, "version": str(version.version)}
    tags = store.client.get_logged_model(model_id).tags
    known = [
        {**each, "version": str(each["version"])} for each in json.loads(tags.get(_VERSIONS, "[]"))
    ]
    if entry not in known:
        store.client.set_logged_model_tags(model_id, {_VERSIONS: json.dumps([*known, entry])})


def _clear(store: Store, logged: "LoggedModel") -> None:
    """MLflow leaves the files of a deleted model on the disk."""
    folder = local_path(logged.artifact_location)
    store.client.finalize_logged_model(logged.model_id, "FAILED")
    store.client.delete_logged_model(logged.model_id)
    if folder is not None and folder.is_relative_to(store.workspace.artifacts):
        shutil.rmtree(folder.parent, ignore_errors=True)


def _create_name(store: Store, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        store.client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
