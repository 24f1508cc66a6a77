"""`lslm production`: which version is, or was, the champion."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from lslm.cli.options import JsonOption, WorkspaceOption
from lslm.cli.registry import NameArgument, TrackingOption, opened
from lslm.errors import InputError


def production(
    name: NameArgument,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="A date (its end is meant) or a date and time, UTC unless it says its zone.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which version is the champion, or was at a moment.

    \b
    Examples:
      lslm production rotten-tomatoes
      lslm production rotten-tomatoes --at 2026-11-24
      lslm production rotten-tomatoes --at 2026-11-24T09:30:00+01:00 --json
    """
    asked = datetime.now(UTC) if at is None else moment(at)
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import moves

        reign = moves.champion_at(store, name, asked)
    if as_json:
        answer = {
            "model": name,
            "at": asked.isoformat(),
            "version": reign.version,
            "since": reign.since or None,
            "certain": reign.certain,
        }
        print(json.dumps(answer, indent=2))
        return
    when = f"{asked:%Y-%m-%d %H:%M} UTC"
    said = "no champion" if reign.version is None else f"version {reign.version}"
    since = f", since {reign.since[:16].replace('T', ' ')} UTC" if reign.since else ""
    doubt = (
        "" if reign.certain else "; the alias was also moved in MLflow itself, nobody noted when"
    )
    print(f"{name} at {when}: {said}{since}{doubt}")


def moment(text: str) -> datetime:
    """A moment with its time zone; a date alone is its last moment.

    Example:
        >>> moment("2026-11-24").isoformat()
        '2026-11-24T23:59:59.999999+00:00'
        >>> moment("20261124") == moment("2026-11-24")
        True
    """
    try:
        with suppress(ValueError):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"{text!r} is no date", where="--at", right="such as 2026-11-24 or 2026-11-24T09:30"
        ) from None
