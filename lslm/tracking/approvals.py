"""A person's word on a version that passed the gate; kept as tags of the version.

The answer is claimed before anything is done, so two people at once, or a form and a command, give
one answer. A deadline that passes is an answer too: no.
"""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from lslm import owners
from lslm.errors import InputError
from lslm.evaluation.report import Approval
from lslm.tracking.claims import checked_reason, claim
from lslm.tracking.moves import champion, now
from lslm.tracking.promotion import Overtaken, promote
from lslm.tracking.store import Store
from lslm.tracking.versions import APPROVAL, GATE, OPPONENT, check_package, find, versions

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

NOBODY = "nobody"


def ask(store: Store, name: str, version: str, seconds: float) -> Approval:
    """Let a version wait for approval; one that waits, or was answered, stays as it is."""
    found = state(store, name, version)
    if found is not None:
        return found
    until = f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"
    asked = Approval(state="pending", until=until)
    _note(store, name, version, asked)
    return asked


def state(store: Store, name: str, version: str) -> Approval | None:
    """What was said of a version; None where nobody was asked."""
    return _said(find(store, name, version))


def waiting(store: Store, name: str) -> str:
    """The newest version that waits for approval; InputError where there is none."""
    for version in versions(store, name):
        said = _said(version)
        if said is not None and said.state == "pending":
            return str(version.version)
    raise InputError(
        f"no version of {name!r} waits for approval",
        right=f"a version that passed the gate with registry.approval on; see `lslm models {name}`",
    )


def answer(
    store: Store, name: str, version: str, *, approve: bool, why: str, who: str | None = None
) -> Approval:
    """Approve a version, which promotes it, or refuse it, which leaves it the challenger.

    InputError where it does not wait, or no longer; Overtaken where the champion changed since the
    gate compared the two.
    """
    found = find(store, name, version)
    said = _waiting(found, approve)
    if approve and _late(said):
        expire(store, name, version)
        raise InputError(
            f"the time to approve version {version} of {name!r} ended at {said.until}",
            right=f"`lslm promote {name} {version}`, which asks no gate",
        )
    if approve:
        _check_opponent(store, found)
        check_package(store, found)
    checked_reason(_promoting(why))
    wanted = "approved" if approve else "refused"
    kept = _settle(store, found, said, wanted, who or owners.person(), why)
    if kept.state != wanted:
        raise InputError(
            f"version {version} of {name!r} was {kept.state} by {kept.who} at the same time"
        )
    return kept


def overrule(store: Store, name: str, version: str, why: str, *, who: str | None = None) -> str:
    """Make a version (a number or an alias) the champion, whatever the gate said; returns its number.

    Where it waits for approval, that is the answer.
    """
    number = promote(store, name, version, why, who=who)
    found = find(store, name, number)
    said = _said(found)
    if said is not None and said.state == "pending":
        _settle(store, found, said, "approved", who or owners.person(), why)
    return number


def expire(store: Store, name: str, version: str) -> Approval:
    """Refuse a version that nobody answered for; an answer that came first stands."""
    found = find(store, name, version)
    said = _said(found)
    if said is None or said.state != "pending":
        return _waiting(found, approve=False) if said is None else said
    return _settle(store, found, said, "refused", NOBODY, f"no answer by {said.until}")


def _settle(
    store: Store,
    version: "ModelVersion",
    said: Approval,
    state: Literal["approved", "refused"],
    who: str,
    why: str,
) -> Approval:
    """Claim the answer and do what it says; returns the one that came first."""
    name, number = version.name, str(version.version)
    given = Approval(state=state, until=said.until, who=who, why=why, when=now()).model_dump()
    value = json.dumps({**given, "token": secrets.token_hex(4)}, ensure_ascii=False)
    kept = json.loads(claim(store, version.run_id or "", f"lslm.approval.{number}", value))
    del kept["token"]
    first = Approval.model_validate(kept)
    try:
        if first.state == "approved":
            expected = version.tags.get(OPPONENT) or None
            promote(store, name, number, _promoting(first.why), who=first.who, expected=expected)
    except Overtaken as error:
        told = f"approved by {first.who} ({first.why}), but {error.what}"
        _note(store, name, number, first.model_copy(update={"state": "refused", "why": told}))
        raise
    _note(store, name, number, first)
    return first


def _promoting(why: str) -> str:
    return f"approved: {why}"


def _waiting(version: "ModelVersion", approve: bool) -> Approval:
    said = _said(version)
    if said is None or said.state != "pending":
        told = f"was {said.state} by {said.who}" if said else "does not wait for approval"
        promoting = f"`lslm promote {version.name} {version.version}`, which asks no gate"
        waiting = f"a version that waits: `lslm models {version.name}`"
        raise InputError(
            f"version {version.version} of {version.name!r} {told}",
            right=promoting if approve else waiting,
        )
    return said


def _check_opponent(store: Store, version: "ModelVersion") -> None:
    compared, current = version.tags.get(OPPONENT) or None, champion(store, version.name)
    if current not in (compared, str(version.version)):
        raise Overtaken(
            f"the gate compared version {version.version} of {version.name!r} with "
            f"{compared or 'no champion'}; the champion is now version {current}",
            right=f"a new run, or `lslm promote {version.name} {version.version}`",
        )


def _said(version: "ModelVersion") -> Approval | None:
    found = version.tags.get(APPROVAL)
    if found is None:
        return None
    fields = {
        field: version.tags.get(f"{APPROVAL}.{field}", "")
        for field in ("until", "who", "why", "when")
    }
    return Approval.model_validate({"state": found, **fields})


def _note(store: Store, name: str, version: str, said: Approval) -> None:
    """The state comes last: what is cut off half way still waits. What the gate said is told with it."""
    store.client.set_model_version_tag(name, version, GATE, said.told)
    for field in ("until", "who", "why", "when"):
        value = getattr(said, field)
        store.client.set_model_version_tag(name, version, f"{APPROVAL}.{field}", value)
    store.client.set_model_version_tag(name, version, APPROVAL, said.state)


def _late(said: Approval) -> bool:
    return datetime.now(UTC) > datetime.fromisoformat(said.until)
