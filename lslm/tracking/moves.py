"""The history of the alias `champion`: read, and asked about a moment in the past."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lslm.tracking.store import Store
from lslm.tracking.versions import CHAMPION, aliases, versions

MOVE = "lslm.move."
"""Each move is a tag of its own on the model, `lslm.move.NUMBER`."""


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


@dataclass(frozen=True)
class Reign:
    """Which version was champion at a moment."""

    version: str | None
    """None: there was no champion."""
    since: str
    """When it became champion, UTC, ISO 8601; empty where no move tells."""
    certain: bool
    """False where the alias was also moved in MLflow itself, at a moment nobody noted."""


def history(store: Store, name: str) -> list[Move]:
    """Every move of the alias `champion`, oldest first."""
    versions(store, name)
    return moves_in(store.client.get_registered_model(name).tags)


def moves_in(tags: Mapping[str, str]) -> list[Move]:
    """The moves among a model's tags, in the order in which they were made, whatever their clocks said."""
    found = [(_number(key), Move(**json.loads(tags[key]))) for key in tags if key.startswith(MOVE)]
    return [move for _, move in sorted(found, key=lambda each: (each[0], each[1].when))]


def champion(store: Store, name: str) -> str | None:
    """The version of the champion, or None where there is none or no such model yet."""
    from mlflow.exceptions import MlflowException

    try:
        return aliases(store, name).get(CHAMPION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def champion_at(store: Store, name: str, moment: datetime) -> Reign:
    """Which version was champion at a moment (with its time zone), as the history tells."""
    moves = history(store, name)
    made = (datetime.fromisoformat(move.when) <= moment for move in moves)
    n_made = max((number for number, each in enumerate(made, start=1) if each), default=0)
    earlier, later = moves[:n_made], moves[n_made:]
    here = earlier[-1] if earlier else None
    version = here.after if here else None
    # What the next to move found there; after the last move, what is there now.
    found = later[0].before if later else champion(store, name)
    if here is None and later:
        return Reign(later[0].before, "", certain=later[0].before is None)
    return Reign(version, here.when if here else "", certain=found == version)


def _number(key: str) -> int:
    """That of a move; the first ones had none."""
    number = key.removeprefix(MOVE)
    return int(number) if number.isdigit() else 0


def now() -> str:
    """The moment as it is kept: UTC, ISO 8601, microseconds."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
