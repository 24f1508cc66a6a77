"""Optuna's storage by its address: SQLite, PostgreSQL or Optuna's own proxy; patient where it is away."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import optuna
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lslm.errors import InputError
from lslm.services import patience
from lslm.services.sqlite import file_of, one_migration

PATIENCE = patience.PATIENCE
"""Seconds that a storage may be away before a search gives up."""
_LASTS = ("disk is full", "disk I/O error", "readonly database", "unable to open database")
"""What SQLite says where another attempt would fail as well: a person has to make room."""
FAILURES = (StorageInternalError, SQLAlchemyError)
"""What a storage raises that cannot do what it was asked."""
_BUSY = 60
"""Seconds that SQLite waits for another writer."""

Result = TypeVar("Result")


@cache
def opened(url: str) -> optuna.storages.BaseStorage:
    """The storage at `url`, one a process; its tables are made if need be.

    What is known of trials that ended is shared by all that ask: a study opened anew reads them once.

    `grpc://HOST:PORT` is Optuna's proxy, everything else a database. An address that is none raises InputError.
    """
    if urlsplit(url).scheme == "grpc":
        return _proxy(url)
    with one_migration(url):
        database = optuna.storages.RDBStorage(url, engine_kwargs=_connecting(url))
    return optuna.storages.get_storage(database)


def patiently(call: Callable[[], Result]) -> Result:
    """Call again where the storage is away or busy; what is called must bear being done twice."""
    return patience.patiently(call, _passes, PATIENCE)


def _connecting(url: str) -> dict[str, Any]:
    """A connection that the server closed is noticed before it is used; SQLite waits for its turn."""
    if file_of(url) is not None:
        return {"connect_args": {"timeout": _BUSY}}
    return {"pool_pre_ping": True}


def _proxy(url: str) -> optuna.storages.BaseStorage:
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        raise InputError(
            f"{url!r} is not an address of Optuna's proxy",
            where="tracking.study_url",
            right="grpc://HOST:PORT",
        )
    try:
        storage = optuna.storages.GrpcStorageProxy(host=parts.hostname, port=parts.port)
    except ImportError:
        raise InputError(
            "Optuna's proxy needs gRPC",
            where="tracking.study_url",
            right="the extra: pip install 'lslm[grpc]'",
        ) from None
    try:
        storage.wait_server_ready(timeout=_BUSY)
    except Exception as error:
        raise InputError(
            f"no proxy of Optuna answers at {parts.hostname}:{parts.port}",
            where="tracking.study_url",
            right="the address of a running `optuna.storages.run_grpc_proxy_server`",
        ) from error
    return storage


def _passes(error: BaseException) -> bool:
    """Whether the storage may answer at the next attempt."""
    if isinstance(error, StorageInternalError):
        return error.__cause__ is None or _passes(error.__cause__)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, (OperationalError, PoolTimeout)):
        return not any(sign in str(error) for sign in _LASTS)
    return type(error).__module__.partition(".")[0] == "grpc" and _unavailable(error)


def _unavailable(error: BaseException) -> bool:
    code: Any = getattr(error, "code", lambda: None)()
    return getattr(code, "name", "") in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
