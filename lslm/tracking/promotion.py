"""What moves the alias `champion`, and the history of its moves."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from lslm.errors import InputError
from lslm.tracking import owners
from lslm.tracking.store import Store, insisting
from lslm.tracking.versions import (
    CHAMPION,
    REPORT,
    aliases,
    check_package,
    find,
    move_alias,
    versions,
)

_MOVE = "lslm.move."
"""Each move is a tag of its own on the model, never written again: writers cannot collide."""


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


def promote(store: Store, name: str, version: str, reason: str) -> str:
    """Make a version (a number or an alias) the champion; returns its number.

    A package that is not what was registered, code included, raises InputError.
    """
    before = champion(store, name)
    target = str(find(store, name, version).version)
    if target != before:
        _move(store, name, "promote", before, target, reason)
    return target


def rollback(store: Store, name: str, reason: str) -> str:
    """Make the previous champion champion again and return its number; InputError without one."""
    before = champion(store, name)
    earlier = _earlier(history(store, name), before)
    if earlier is None:
        now = f"version {before} is its first champion" if before else "it has no champion"
        raise InputError(
            f"model {name!r} has no earlier champion: {now}", right="a promotion before"
        )
    _move(store, name, "rollback", before, earlier, reason)
    return earlier


def history(store: Store, name: str) -> list[Move]:
    """Every move of the alias `champion`, oldest first."""
    versions(store, name)
    tags = store.client.get_registered_model(name).tags
    return [Move(**json.loads(tags[key])) for key in sorted(tags) if key.startswith(_MOVE)]


def champion(store: Store, name: str) -> str | None:
    """The version of the champion, or None where there is none or no such model yet."""
    from mlflow.exceptions import MlflowException

    try:
        return aliases(store, name).get(CHAMPION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _move(
    store: Store,
    name: str,
    action: Literal["promote", "rollback"],
    before: str | None,
    after: str,
    why: str,
) -> None:
    version = find(store, name, after)
    check_package(store, version)
    move_alias(store, name, CHAMPION, after)
    when = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    report = version.tags.get(REPORT, "")
    move = Move(when, owners.person(), action, before, after, why, report)
    key = f"{_MOVE}{when}.{secrets.token_hex(4)}"
    insisting(lambda: store.client.set_registered_model_tag(name, key, json.dumps(asdict(move))))


def _earlier(moves: list[Move], now: str | None) -> str | None:
    """The champion before `now`: promotions pile up, a rollback takes the top one off."""
    pile: list[str] = []
    for move in moves:
        if move.before is not None and pile[-1:] != [move.before]:
            # The alias was moved outside this history, in MLflow itself.
            pile.append(move.before)
        if move.action == "rollback" and move.after in pile[:-1]:
            pile.pop()
        else:
            pile.append(move.after)
    while pile and pile[-1] == now:
        pile.pop()
    return pile[-1] if pile else None
