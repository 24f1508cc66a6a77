"""Whether ports are free, databases answer, and nothing is left of processes that are gone."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from lslm.diagnosis.checks import Check
from lslm.services import addresses, databases, health, leftovers, state, supervisor
from lslm.services.sqlite import file_of
from lslm.settings import TrackingSettings
from lslm.workspace import Workspace

_WAIT = 2
"""Seconds a database may take to answer."""
_OWNED = """
SELECT runs.run_uuid, host.value, pid.value, born.value FROM runs
JOIN tags AS host ON host.run_uuid = runs.run_uuid AND host.key = 'lslm.host'
JOIN tags AS pid ON pid.run_uuid = runs.run_uuid AND pid.key = 'lslm.pid'
JOIN tags AS born ON born.run_uuid = runs.run_uuid AND born.key = 'lslm.pid_started'
WHERE runs.status = 'RUNNING' AND runs.lifecycle_stage = 'active'
"""


def ports(wanted: Mapping[str, int], workspace: Workspace) -> Iterator[Check]:
    """Whether `lslm up` could start; by option, less those that it holds itself."""
    if served := state.serving(workspace):
        found = f"held by `lslm up`: {served.prefect}, {served.mlflow}, {served.optuna}"
        yield Check("ports", ok=True, found=found)
        return
    taken = [(option, port) for option, port in wanted.items() if not supervisor.is_free(port)]
    for option, port in taken:
        mend = f"lslm up {option} {supervisor.free_port()}"
        yield Check(f"port {port}", ok=False, found="in use", mend=mend)
    if not taken:
        yield Check("ports", ok=True, found=f"{', '.join(map(str, wanted.values()))} are free")


def served(workspace: Workspace) -> Iterator[Check]:
    """Whether the servers that run are healthy, and Prefect's where the environment names it."""
    pages: dict[str, str] = {}
    if named := os.environ.get(addresses.PREFECT):
        pages["Prefect"] = f"{named.rstrip('/')}/health"
    if (known := state.serving(workspace)) and known.prefect_api:
        pages = {"Prefect": f"{known.prefect_api}/health", "Optuna": f"{known.optuna}/dashboard"}
    for name, page in pages.items():
        ok, at = health.answers(page), page.rpartition("/")[0]
        mend = "start it, or take its address away" if named else "lslm down && lslm up"
        yield Check(name, ok=ok, found=f"{at} {'answers' if ok else 'is silent'}", mend=mend)


def stores(settings: TrackingSettings, workspace: Workspace) -> Iterator[Check]:
    """Whether the databases of runs and studies can be written."""
    yield _store("runs", addresses.tracking_uri(settings, workspace))
    yield _store("studies", addresses.study_url(settings, workspace))


def stale_processes(workspace: Workspace) -> Iterator[Check]:
    """Servers of an `lslm up` that is no more."""
    known = state.read(workspace)
    left = leftovers.found(known) if known is not None and not known.owned() else []
    numbers = ", ".join(str(process.pid) for process in left)
    yield Check(
        "stale processes",
        ok=not left,
        found=f"{len(left)} of a killed `lslm up`: {numbers}" if left else "none",
        mend="lslm down",
    )


def stale_runs(settings: TrackingSettings, workspace: Workspace) -> Iterator[Check]:
    """Runs that MLflow shows as running, whose process on this machine is gone."""
    url = _tables(settings, workspace)
    if url is None:
        return
    from lslm import owners

    keys = (owners.HOST, owners.PID, owners.BORN)
    stale = [run for run, *tags in _rows(url) if owners.is_dead(dict(zip(keys, tags, strict=True)))]
    yield Check(
        "stale runs",
        ok=not stale,
        found=f"RUNNING without a process: {', '.join(stale)}" if stale else "none",
        mend="lslm run PIPELINE: the pipeline's next run takes it up or ends it",
    )


def _tables(settings: TrackingSettings, workspace: Workspace) -> str | None:
    """MLflow's database, also where our own server is in front of it; None where it is another's."""
    known = state.serving(workspace)
    address = addresses.tracking_uri(settings, workspace)
    if known is not None and address == known.mlflow:
        address = known.database.mlflow or workspace.tracking_uri
    return None if urlsplit(address).scheme in ("http", "https") else address


def _rows(url: str) -> list[tuple[str, str, str, str]]:
    file = file_of(url)
    if file is not None:
        if not file.exists():
            return []
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'tags'").fetchone()
            return connection.execute(_OWNED).fetchall() if made else []
    return databases.rows(url, _OWNED)


def _store(name: str, url: str) -> Check:
    shown = databases.shown(url)
    if urlsplit(url).scheme in ("http", "https"):
        ok = health.answers(f"{url.rstrip('/')}/health")
        found = f"{shown} {'answers' if ok else 'is silent'}"
        return Check(name, ok, found, "start that server, or take its address away")
    if (file := file_of(url)) is not None:
        return _file(name, file)
    databases.refuse_uninstalled()
    ok = databases.reachable(url)
    mend = "start that database, and see its address, user and password"
    return Check(name, ok, f"{shown} {'answers' if ok else 'lets nobody in'}", mend)


def _file(name: str, file: Path) -> Check:
    if not file.exists():
        return Check(name, ok=True, found=f"{file} (made by the first run)")
    try:
        with closing(sqlite3.connect(file, timeout=_WAIT, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        mend = f"see who holds it (`fuser {file}`), and whether it is yours to write"
        return Check(name, ok=False, found=f"{file}: {error}", mend=mend)
    except sqlite3.DatabaseError as error:
        mend = "put a copy of it back; moved away, an empty one is made"
        return Check(name, ok=False, found=f"{file}: {error}", mend=mend)
    return Check(name, ok=True, found=f"{file}, {file.stat().st_size / 1e6:.1f} MB")
