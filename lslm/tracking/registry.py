"""Models in the MLflow registry: registered, listed, fetched, and checked before they are used."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lslm.errors import InputError
from lslm.settings import Settings
from lslm.tracking.package import INSIDE, Candidate, package_digest, save_package
from lslm.tracking.store import Store, insisting, local_path
from lslm.workspace import digest

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

CHALLENGER, CHAMPION = "challenger", "champion"
REPORT = "lslm.report"
_KEY, _MODEL, _PACKAGE = "lslm.key", "lslm.model", "lslm.package"


@dataclass(frozen=True)
class ModelRow:
    """A registered version, as a table shows it."""

    name: str
    version: str
    aliases: tuple[str, ...]
    created: datetime
    """UTC."""
    run_id: str
    tags: Mapping[str, str]


def register(store: Store, settings: Settings, candidate: Candidate) -> str:
    """Register a model under the pipeline's name with the alias `challenger`; returns the version.

    The same model of the same run is registered once: after a crash the second call takes up what
    is there and clears away what is half done.
    """
    name, model_digest = settings.model_name, digest(candidate.folder)
    key = hashlib.sha256(f"{candidate.run_id} {model_digest}".encode()).hexdigest()
    _create_name(store, name)
    found = next((v for v in _versions(store, name) if v.tags.get(_KEY) == key), None)
    if found is None:
        logged = _logged_model(store, candidate, key)
        tags = {
            _KEY: key,
            _MODEL: model_digest,
            _PACKAGE: logged.tags[_PACKAGE],
            REPORT: candidate.report,
            **{f"lslm.digest.{part}": value for part, value in candidate.data.items()},
            **candidate.tags,
        }
        found = store.client.create_model_version(
            name,
            f"models:/{logged.model_id}",
            run_id=candidate.run_id,
            tags=tags,
            description=candidate.card,
            model_id=logged.model_id,
        )
    version = str(found.version)
    move_alias(store, name, CHALLENGER, version)
    return version


def annotate(
    store: Store, name: str, version: str, *, card: str | None = None, tags: Mapping[str, str]
) -> None:
    """Add what is known only after registration, such as the gate's decision."""
    if card is not None:
        store.client.update_model_version(name, version, card)
    for key, value in tags.items():
        store.client.set_model_version_tag(name, version, key, value)


def list_models(store: Store) -> list[ModelRow]:
    """Every version of every model, newest first within a name."""
    models = sorted(_models(store), key=lambda model: model.name)
    return [_row(version) for model in models for version in _versions(store, model.name)]


def find(store: Store, name: str, reference: str) -> "ModelVersion":
    """The version an alias or a number stands for; InputError says what exists."""
    versions = {str(each.version): each for each in _versions(store, name)}
    if not versions:
        known = ", ".join(sorted(model.name for model in _models(store)))
        raise InputError(
            f"no model {name!r} is registered", right=f"one of: {known}" if known else "a first run"
        )
    aliases = {alias: each for each in versions.values() for alias in each.aliases}
    found = versions.get(reference) or aliases.get(reference)
    if found is None:
        raise InputError(
            f"{reference!r} is no version or alias of model {name!r}",
            right=f"one of: {', '.join([*sorted(aliases), *sorted(versions, key=int)])}",
        )
    return found


def download(store: Store, name: str, reference: str) -> Path:
    """The model folder of an alias or version, checked against the digest of its registration.

    A folder on this machine is used where it lies.
    """
    version = find(store, name, reference)
    folder = _package(store, version) / INSIDE
    _check(version, _MODEL, digest(folder) if folder.is_dir() else "")
    return folder


def check_package(store: Store, version: "ModelVersion") -> None:
    """Raise InputError unless the whole package, code included, is what was registered."""
    package = _package(store, version)
    _check(version, _PACKAGE, package_digest(package) if package.is_dir() else "")


def move_alias(store: Store, name: str, alias: str, version: str) -> None:
    """Point an alias at a version, also while others do the same."""
    insisting(lambda: store.client.set_registered_model_alias(name, alias, version))


def _check(version: "ModelVersion", tag: str, actual: str) -> None:
    expected = version.tags.get(tag)
    if expected is None:
        raise InputError(
            "no digest was recorded at registration",
            where=f"models:/{version.name}/{version.version}",
            right="a version that lslm registered",
        )
    if actual != expected:
        raise InputError(
            "the files are not those that were registered" if actual else "the files are gone",
            where=f"models:/{version.name}/{version.version}",
            right=f"SHA-256 {expected}",
        )


def _logged_model(store: Store, candidate: Candidate, key: str) -> "LoggedModel":
    """The finished MLflow model with this key; what a killed process began is cleared away."""
    experiment_id = store.client.get_run(candidate.run_id).info.experiment_id
    for old in store.client.search_logged_models([experiment_id], f"tags.`{_KEY}` = '{key}'"):
        if str(old.status) == "READY":
            return old
        _clear(store, old)
    with store.workspace.scratch() as scratch:
        package = scratch / "package"
        save_package(package, scratch, candidate)
        tags = {_KEY: key, _PACKAGE: digest(package)}
        logged = store.client.create_logged_model(
            experiment_id, name="model", source_run_id=candidate.run_id, tags=tags
        )
        store.client.log_model_artifacts(logged.model_id, str(package))
    store.client.finalize_logged_model(logged.model_id, "READY")
    _link(store, candidate.run_id, logged.model_id)
    return store.client.get_logged_model(logged.model_id)


def _link(store: Store, run_id: str, model_id: str) -> None:
    from mlflow.entities import LoggedModelOutput

    store.client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])


def _clear(store: Store, logged: "LoggedModel") -> None:
    """MLflow leaves the files of a deleted model on the disk."""
    folder = local_path(logged.artifact_location)
    store.client.finalize_logged_model(logged.model_id, "FAILED")
    store.client.delete_logged_model(logged.model_id)
    if folder is not None and folder.is_relative_to(store.workspace.artifacts):
        shutil.rmtree(folder.parent, ignore_errors=True)


def _package(store: Store, version: "ModelVersion") -> Path:
    """The folder of a version on this machine; one elsewhere is fetched once and kept."""
    from mlflow.artifacts import download_artifacts

    location = store.client.get_model_version_download_uri(version.name, version.version)
    here = local_path(location)
    if here is not None:
        return here
    kept = store.workspace.files / version.tags.get(_PACKAGE, "none") / "package"
    if kept.is_dir():
        return kept
    with store.workspace.scratch() as scratch:
        target = scratch / "package"
        target.mkdir()
        download_artifacts(artifact_uri=location, dst_path=str(target), tracking_uri=store.uri)
        return store.workspace.add(target).path


def _create_name(store: Store, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        store.client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _models(store: Store) -> Iterator[object]:
    token = None
    while True:
        page = store.client.search_registered_models(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _versions(store: Store, name: str) -> "list[ModelVersion]":
    """All versions of a name, newest first."""
    found: list[ModelVersion] = []
    token = None
    while True:
        page = store.client.search_model_versions(f"name = '{name}'", page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return sorted(found, key=lambda each: -int(each.version))


def _row(version: "ModelVersion") -> ModelRow:
    return ModelRow(
        name=version.name,
        version=str(version.version),
        aliases=tuple(sorted(version.aliases)),
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
        run_id=version.run_id or "",
        tags=dict(version.tags),
    )
