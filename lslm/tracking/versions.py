"""Registered versions: listed, found, fetched, and checked before they are used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lslm.errors import InputError
from lslm.tracking.package import INSIDE, package_digest
from lslm.tracking.store import Store, insisting, local_path
from lslm.workspace import digest

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

CHALLENGER, CHAMPION = "challenger", "champion"
KEY, MODEL, PACKAGE, REPORT = "lslm.key", "lslm.model", "lslm.package", "lslm.report"
"""Tags of a version: what was registered, digests of its model folder, its package, its report."""
SCORE, GATE, RULES = "lslm.score", "lslm.gate", "lslm.gate.rules"
OPPONENT = "lslm.gate.champion"
"""The champion that the gate compared a version with; empty where there was none."""
APPROVAL = "lslm.approval"
LOGGED = "models:/"
"""What the source of a version begins with, before the id of its MLflow model."""


@dataclass(frozen=True)
class ModelRow:
    """A registered version, as a table shows it."""

    name: str
    version: str
    aliases: tuple[str, ...]
    created: str
    """UTC, ISO 8601."""
    score: str
    """On the holdout, in words."""
    gate: str
    """What the gate said, and the person after it."""
    run_id: str


def list_models(store: Store, name: str | None = None) -> list[ModelRow]:
    """Every version of every model, or of one; newest first within a name."""
    if name is not None:
        return _rows(store, name, versions(store, name))
    names = sorted(model.name for model in _models(store))
    # One that is just being registered has no version yet.
    return [row for each in names for row in _rows(store, each, _registered(store, each))]


def find(store: Store, name: str, reference: str) -> "ModelVersion":
    """The version an alias or a number stands for; InputError says what exists."""
    numbered = {str(each.version): each for each in versions(store, name)}
    aliased = aliases(store, name)
    found = numbered.get(aliased.get(reference, reference))
    if found is None:
        raise InputError(
            f"{reference!r} is no version or alias of model {name!r}",
            right=f"one of: {', '.join([*sorted(aliased), *sorted(numbered, key=int)])}",
        )
    return found


def versions(store: Store, name: str) -> "list[ModelVersion]":
    """All versions of a model, newest first; a name with none raises InputError."""
    found = _registered(store, name)
    if not found:
        known = ", ".join(sorted(model.name for model in _models(store)))
        raise InputError(
            f"no model {name!r} is registered",
            right=f"one of: {known}" if known else "a model registered by `lslm run`",
        )
    return found


def of_run(store: Store, run_id: str) -> tuple[str, str]:
    """Name and number of the version that an MLflow run registered, the newest of several."""
    found = store.client.search_model_versions(f"run_id = '{run_id}'")
    if not found:
        raise InputError(
            "it registered no version", where=f"MLflow run {run_id}", right="a run that finished"
        )
    newest = max(found, key=lambda each: int(each.version))
    return newest.name, str(newest.version)


def logged_model(store: Store, name: str, version: str) -> str:
    """Id of the MLflow model that a version is of."""
    return logged_id(find(store, name, version))


def logged_id(version: "ModelVersion") -> str:
    """Id of its MLflow model, by its source: MLflow's tables do not keep `ModelVersion.model_id`."""
    return str(version.source).removeprefix(LOGGED)


def aliases(store: Store, name: str) -> dict[str, str]:
    """The version each alias of a model points at."""
    pointed = store.client.get_registered_model(name).aliases
    return {alias: str(version) for alias, version in pointed.items()}


def download(store: Store, name: str, reference: str) -> Path:
    """The model folder of an alias or version, checked against the digest of its registration.

    A folder on this machine is used where it lies.
    """
    version = find(store, name, reference)
    folder = _package(store, version) / INSIDE
    _check(version, MODEL, digest(folder) if folder.is_dir() else "")
    return folder


def check_package(store: Store, version: "ModelVersion") -> None:
    """Raise InputError unless the whole package, code included, is what was registered."""
    package = _package(store, version)
    _check(version, PACKAGE, package_digest(package) if package.is_dir() else "")


def move_alias(store: Store, name: str, alias: str, version: str) -> None:
    """Point an alias at a version, also while others do the same."""
    insisting(lambda: store.client.set_registered_model_alias(name, alias, version))


def _registered(store: Store, name: str) -> "list[ModelVersion]":
    if "'" in name:
        # MLflow's filters have no way to write it, and MLflow's own pages none to find it.
        return []
    found: list[ModelVersion] = []
    token = None
    while True:
        page = store.client.search_model_versions(f"name = '{name}'", page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return sorted(found, key=lambda each: -int(each.version))


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


def _package(store: Store, version: "ModelVersion") -> Path:
    """The folder of a version on this machine; one elsewhere is fetched once and kept."""
    from mlflow.artifacts import download_artifacts

    location = store.client.get_model_version_download_uri(version.name, version.version)
    here = local_path(location)
    if here is not None:
        return here
    kept = store.workspace.files / version.tags.get(PACKAGE, "none") / "package"
    if kept.is_dir():
        return kept
    with store.workspace.scratch() as scratch:
        into = scratch / "fetched"
        into.mkdir()
        fetched = download_artifacts(
            artifact_uri=location, dst_path=str(into), tracking_uri=store.uri
        )
        return store.workspace.add(Path(fetched).rename(scratch / "package")).path


def _models(store: Store) -> "Iterator[RegisteredModel]":
    token = None
    while True:
        page = store.client.search_registered_models(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _rows(store: Store, name: str, found: "list[ModelVersion]") -> list[ModelRow]:
    if not found:
        return []
    pointed = aliases(store, name)
    return [
        ModelRow(
            name=name,
            version=str(each.version),
            aliases=tuple(
                sorted(a for a, version in pointed.items() if version == str(each.version))
            ),
            created=datetime.fromtimestamp(each.creation_timestamp // 1000, UTC).isoformat(),
            score=each.tags.get(SCORE, ""),
            gate=_said(each),
            run_id=each.run_id or "",
        )
        for each in found
    ]


def _said(version: "ModelVersion") -> str:
    gate, approval = version.tags.get(GATE, ""), version.tags.get(APPROVAL)
    return gate if approval is None or approval in gate else f"{gate}; approval: {approval}"
