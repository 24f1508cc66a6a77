"""Three databases on one PostgreSQL server: made where they are missing, each in its library's dialect."""

import importlib.util
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lslm.errors import InputError
from lslm.services.state import Database

NAMES = {"prefect": "lslm_prefect", "mlflow": "lslm_mlflow", "study": "lslm_optuna"}
_INSTALL = "the extra: pip install 'lslm[postgres]'"


def refuse_uninstalled() -> None:
    """InputError where the driver is missing."""
    if importlib.util.find_spec("psycopg2") is None:
        raise InputError("PostgreSQL needs its driver", where="--postgres", right=_INSTALL)


def on(url: str, kind: str) -> Database:
    """The addresses of the three databases on the server at `url`.

    SQLAlchemy reads a bare `postgresql://` as another driver than MLflow and Optuna are used with,
    and Prefect wants an asynchronous one.

    Example:
        >>> on("postgresql://me:pw@db:5432/postgres", "given").prefect
        'postgresql+asyncpg://me:pw@db:5432/lslm_prefect'
    """
    _checked(url)
    return Database.model_validate(
        {
            "kind": kind,
            "prefect": _address(url, "postgresql+asyncpg", NAMES["prefect"]),
            "mlflow": _address(url, "postgresql+psycopg2", NAMES["mlflow"]),
            "study": _address(url, "postgresql+psycopg2", NAMES["study"]),
        }
    )


def create(url: str) -> None:
    """Make the databases that are missing on the server at `url`."""
    import psycopg2  # pyright: ignore[reportMissingModuleSource]
    from psycopg2 import errors, sql  # pyright: ignore[reportMissingModuleSource]

    connection: Any = _connected(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database")
            there = {name for (name,) in cursor.fetchall()}
            for name in NAMES.values():
                if name not in there:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except errors.InsufficientPrivilege:
        raise InputError(
            f"this user may not make databases on {shown(url)}",
            where="--postgres-url",
            right="; ".join(f"CREATE DATABASE {name}" for name in NAMES.values())
            + " by its administrator",
        ) from None
    except psycopg2.errors.DuplicateDatabase:
        # Another `lslm up` was faster; then the others are its to make as well.
        pass
    finally:
        connection.close()


def reachable(url: str) -> bool:
    """Whether the server takes a connection."""
    import psycopg2  # pyright: ignore[reportMissingModuleSource]

    try:
        psycopg2.connect(_address(url, "postgresql"), connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in the database at `url`."""
    connection: Any = _connected(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())
    finally:
        connection.close()


def shown(url: str) -> str:
    """The address without its password.

    Example:
        >>> shown("postgresql+psycopg2://me:secret@db:5432/lslm_mlflow")
        'postgresql+psycopg2://me@db:5432/lslm_mlflow'
    """
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, rest = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{rest}"))


def _connected(url: str) -> Any:
    import psycopg2  # pyright: ignore[reportMissingModuleSource]

    try:
        return psycopg2.connect(_address(url, "postgresql"), connect_timeout=5)
    except psycopg2.OperationalError as error:
        raise InputError(
            f"{shown(url)} does not let us in: {str(error).strip().splitlines()[0]}",
            where="--postgres-url",
            right="the address of a PostgreSQL server that runs",
        ) from None


def _checked(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in ("postgresql", "postgres") or not parts.netloc:
        raise InputError(
            f"{shown(url)!r} is not an address of PostgreSQL",
            where="--postgres-url",
            right="postgresql://USER:PASSWORD@HOST:PORT/postgres",
        )


def _address(url: str, scheme: str, name: str | None = None) -> str:
    parts = urlsplit(url)
    query = parse_qsl(parts.query)
    if "asyncpg" in scheme:
        query = [("ssl" if key == "sslmode" else key, value) for key, value in query]
    path = parts.path if name is None else f"/{name}"
    return urlunsplit(
        parts._replace(scheme=scheme, path=path or "/postgres", query=urlencode(query))
    )
