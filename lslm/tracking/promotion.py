"""What moves the alias `champion`: one at a time, the others are told."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final, Literal

from lslm import owners
from lslm.errors import InputError
from lslm.tracking.claims import checked_reason, claim, notebook
from lslm.tracking.moves import MOVE, Move, champion, history, moves_in, now
from lslm.tracking.store import Store, insisting
from lslm.tracking.versions import CHAMPION, REPORT, check_package, find, move_alias, versions

ANY: Final = "any"
"""As the champion expected: whichever it is."""
_PATIENCE = 10.0
"""Seconds the winner of a claim may take to move the alias before another does it for it."""


class Overtaken(InputError):
    """Somebody else moved the champion first."""


def promote(
    store: Store,
    name: str,
    version: str,
    reason: str,
    *,
    who: str | None = None,
    expected: str | None = ANY,
) -> str:
    """Make a version (a number or an alias) the champion; returns its number.

    A package that is not what was registered, code included, raises InputError. Overtaken where
    the champion is no longer `expected`, or another move was made at the same time.
    """
    tags = _tags(store, name)
    before = champion(store, name)
    target = str(find(store, name, version).version)
    if target == before:
        return target
    if expected not in (ANY, before):
        raise Overtaken(
            f"the champion of {name!r} is now {_version(before)}, no longer {_version(expected)}",
            right=f"a fresh comparison, or `lslm promote {name} {target}`",
        )
    return _move(store, name, tags, "promote", before, target, reason, who)


def rollback(store: Store, name: str, reason: str, *, who: str | None = None) -> str:
    """Make the previous champion champion again and return its number; InputError without one."""
    tags = _tags(store, name)
    before = champion(store, name)
    there = {str(each.version) for each in versions(store, name)}
    earlier = _earlier(history(store, name), before, there)
    if earlier is None:
        known = f"there is none before version {before}" if before else "it has no champion"
        raise InputError(
            f"model {name!r} has no earlier champion: {known}", right="a promotion before"
        )
    return _move(store, name, tags, "rollback", before, earlier, reason, who)


def _tags(store: Store, name: str) -> Mapping[str, str]:
    """The model's tags; read before its alias, so that a move in between makes the claim fail."""
    history(store, name)
    return store.client.get_registered_model(name).tags


def _move(
    store: Store,
    name: str,
    tags: Mapping[str, str],
    action: Literal["promote", "rollback"],
    before: str | None,
    after: str,
    why: str,
    who: str | None,
) -> str:
    version = find(store, name, after)
    check_package(store, version)
    report = version.tags.get(REPORT, "")
    who = who or owners.person()
    move = Move(now(), who, action, before, after, checked_reason(why), report)
    number = _next(tags)
    first = _claimed(store, name, number, move)
    if first == move:
        _finish(store, name, number, move)
    else:
        _wait_for(store, name, number, first)
    if first.after == after:
        return after
    raise Overtaken(
        f"version {first.after} of {name!r} was made champion by {first.who} at the same time",
        right=f"a look at `lslm history {name}`, and then another decision",
    )


def _claimed(store: Store, name: str, number: int, move: Move) -> Move:
    """The move with this number: ours, or that of whoever came first."""
    # Two equal moves by one person at one microsecond must still differ.
    value = json.dumps({**asdict(move), "token": secrets.token_hex(4)}, ensure_ascii=False)
    kept = claim(store, notebook(store, name), f"lslm.move.{_plain(name)}.{number}", value)
    record = json.loads(kept)
    if kept == value:
        return move
    del record["token"]
    return Move(**record)


def _finish(store: Store, name: str, number: int, move: Move) -> None:
    """Move the alias, then note the move. Done twice, it comes to the same."""
    move_alias(store, name, CHAMPION, move.after)
    note = json.dumps(asdict(move), ensure_ascii=False)
    insisting(lambda: store.client.set_registered_model_tag(name, _key(number), note))
    latest = history(store, name)[-1]
    if latest != move:
        # A later move was made while this one was slow.
        move_alias(store, name, CHAMPION, latest.after)


def _wait_for(store: Store, name: str, number: int, move: Move) -> None:
    """Let the other finish its move; finish it, if it died over it."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if _key(number) in store.client.get_registered_model(name).tags:
            return
        time.sleep(0.2)
    _finish(store, name, number, move)


def _next(tags: Mapping[str, str]) -> int:
    numbers = [key.removeprefix(MOVE) for key in tags if key.startswith(MOVE)]
    counted = [int(number) for number in numbers if number.isdigit()]
    return max(counted, default=len(moves_in(tags))) + 1


def _key(number: int) -> str:
    return f"{MOVE}{number:06d}"


def _plain(name: str) -> str:
    """A model's name, as far as MLflow takes it in the name of a parameter."""
    return "".join(each if each.isalnum() or each in "._-" else "_" for each in name)


def _version(version: str | None) -> str:
    return "none" if version is None else f"version {version}"


def _earlier(moves: list[Move], current: str | None, there: set[str]) -> str | None:
    """The champion before `current`: promotions pile up, a rollback takes the top one off.

    Versions that were deleted since, in MLflow itself, are not `there` to go back to.
    """
    pile: list[str] = []
    for move in moves:
        if move.before is not None and pile[-1:] != [move.before]:
            # The alias was moved outside this history, in MLflow itself.
            pile.append(move.before)
        if move.action == "rollback" and move.after in pile[:-1]:
            while pile[-1] != move.after:
                pile.pop()
        elif pile[-1:] != [move.after]:
            pile.append(move.after)
    while pile and (pile[-1] == current or pile[-1] not in there):
        pile.pop()
    return pile[-1] if pile else None
