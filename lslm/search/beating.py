"""Signs of life of trials: who runs one, and when that one was last heard of.

Optuna beats for trials inside `Study.optimize` alone, and not through its proxy. Here trials are asked for and
told, so the signs are attributes of the trial, which every storage keeps.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError

from lslm import owners

EVERY = 30.0
"""Seconds between two signs."""
GRACE = 4 * EVERY
"""Seconds without a sign after which a trial of another machine is taken for dead, and so is one of nobody."""
_OWNER, _ALIVE = "owner", "alive"


def signs() -> dict[str, Any]:
    """Attributes that say that this process runs a trial."""
    return {_OWNER: owners.mine(), _ALIVE: time.time()}


def sign(store: optuna.storages.BaseStorage, trial_id: int) -> None:
    """Say that this process runs the trial."""
    for name, value in signs().items():
        store.set_trial_user_attr(trial_id, name, value)


def is_mine(attributes: Mapping[str, Any]) -> bool:
    """Whether this process was the last to sign the trial with these attributes."""
    return is_signed(attributes) and owners.is_mine(attributes[_OWNER])


def is_signed(attributes: Mapping[str, Any]) -> bool:
    """Whether any process ever ran the trial with these attributes."""
    return _OWNER in attributes


def is_abandoned(trial: FrozenTrial) -> bool:
    """Whether nobody else runs the trial: its process is gone, or silent, or this one.

    Who has just begun a trial that waited may not have signed it yet.
    """
    owner = trial.user_attrs.get(_OWNER)
    if owner is None:
        began = trial.datetime_start
        return began is None or time.time() - began.timestamp() > GRACE
    if owners.is_mine(owner) or owners.is_dead(owner):
        return True
    return not owners.is_here(owner) and time.time() - trial.user_attrs.get(_ALIVE, 0.0) > GRACE


@contextmanager
def beating(running: Mapping[int, optuna.Trial]) -> Iterator[None]:
    """Give signs of life for all trials that are `running`, whichever these are, during the block."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(EVERY):
            for trial in list(running.values()):
                # A storage that is away hears the next one; a trial may end meanwhile.
                with suppress(OptunaError, SQLAlchemyError, RuntimeError):
                    trial.set_user_attr(_ALIVE, time.time())

    thread = threading.Thread(target=beat, daemon=True, name="signs of life")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
