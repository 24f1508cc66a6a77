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
from sqlalchemy.exc import SQLAlchemyError

from lslm import owners

EVERY = 30.0
"""Seconds between two signs."""
GRACE = 4 * EVERY
"""Seconds without a sign after which a trial of another machine is taken for dead."""
_OWNER, _ALIVE = "owner", "alive"


def sign(trial: optuna.Trial) -> None:
    """Say that this process runs the trial."""
    trial.set_user_attr(_OWNER, owners.mine())
    trial.set_user_attr(_ALIVE, time.time())


def is_signed(attributes: Mapping[str, Any]) -> bool:
    """Whether any process ever ran the trial with these attributes."""
    return _OWNER in attributes


def is_abandoned(attributes: Mapping[str, Any]) -> bool:
    """Whether nobody else runs the trial with these attributes: its process is gone, or silent, or this one."""
    owner = attributes.get(_OWNER)
    if owner is None or owners.is_mine(owner) or owners.is_dead(owner):
        return True
    return not owners.is_here(owner) and time.time() - attributes.get(_ALIVE, 0.0) > GRACE


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
