"""What moves the alias `champion`, and the history of its moves."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from lslm.errors import InputError
from lslm.tracking import owners
from lslm.tracking.registry import CHAMPION, REPORT, check_package, find, move_alias
from lslm.tracking.store import Store

_MOVE = "lslm.move."
"""Each move is a tag of its own on the model, never written again, so that writers cannot collide."""


@dataclass(frozen=True)
class Move:
    """One move of the alias `champion`."""

    when: str
    """UTC, ISO 8601."""
    who: str
    action: Literal["promote", "rollback"]
    before: str | None
    """The champion's version until then."""
    after: str
    why: str
    report: str
    """Digest of the report of the version that became champion."""


def promote(store: Store, name: str, version: str, reason: str) -> Move | None:
    """Make a version the champion; None where it is already.

    A package that is not what was registered, code included, raises InputError.
    """
    before = champion(store, name)
    target = str(find(store, name, version).version)
    if target == before:
        return None
    return _move(store, name, "promote", before, target, reason)


def rollback(store: Store, name: str, reason: str) -> Move:
    """Make the previous champion champion again; InputError where there is none."""
    before = champion(store, name)
    earlier = _earlier(history(store, name), before)
    if earlier is None:
        now = f"version {before} is its first champion" if before else "it has no champion"
        raise InputError(
            f"model {name!r} has no earlier champion: {now}", right="a promotion before"
        )
    return _move(store, name, "rollback", before, earlier, reason)


def history(store: Store, name: str) -> list[Move]:
    """Every move of the alias `champion`, oldest first."""
    find_any(store, name)
    tags = store.client.get_registered_model(name).tags
    return [Move(**json.loads(tags[key])) for key in sorted(tags) if key.startswith(_MOVE)]


def champion(store: Store, name: str) -> str | None:
    """The version of the champion, or None where there is none or no such model yet."""
    from mlflow.exceptions import MlflowException

    try:
        version = store.client.get_registered_model(name).aliases.get(CHAMPION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    return None if version is None else str(version)
