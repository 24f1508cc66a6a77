"""The MLflow run of a pipeline run: opened at its start, closed at its end, whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from prefect.context import FlowRunContext
from prefect.utilities.urls import url_for

from lslm import stopping
from lslm.corpus import sources
from lslm.evaluation.report import RunReport
from lslm.services import addresses
from lslm.settings import Settings
from lslm.tracking import runs
from lslm.tracking.store import Store, connect, run_address
from lslm.workspace import Workspace
from tasks import flow_runs
from tasks.runners import served
from tasks.stage import Run, made, planner


def store_of(run: Run) -> Store:
    """The connection to MLflow, one a process."""
    return _store(run.settings.model_dump_json())


@contextmanager
def opened(settings: Settings, base: Path) -> Iterator[Run]:
    """One MLflow run for the block; a run that a dead process left is taken up again."""
    store = addresses.store(settings.tracking, Workspace(settings.workspace))
    run = Run(settings=settings, base=base, run_id="", store=store)
    if planner.get():
        yield run
        return
    digests = sources.fingerprints(settings.corpus, base, run.workspace)
    # Prefect takes SIGTERM for the time of a flow run.
    stopping.listen()
    flow = FlowRunContext.get()
    flow_run = flow.flow_run if flow else None
    if flow_run:
        flow_runs.end_dead()
    runs.end_dead(store_of(run), settings)
    run_id = runs.open_run(
        store_of(run),
        settings,
        digests=digests,
        name=flow_run.name if flow_run else settings.name,
        flow_run_id=str(flow_run.id) if flow_run else None,
        flow_run_url=url_for("flow-run", flow_run.id) if flow_run and served() else None,
        left=run.workspace.left_open(settings.name),
    )
    run.workspace.note_open(settings.name, run_id)
    found = {
        "run_id": run_id,
        "study_url": addresses.study_url(settings.tracking, run.workspace),
        "page": _page(store_of(run), run_id),
    }
    run = run.model_copy(update=found)
    noting = made.set({})
    try:
        yield run
    except KeyboardInterrupt:
        runs.close_run(store_of(run), run_id, "KILLED")
        raise
    except BaseException:
        runs.close_run(store_of(run), run_id, "FAILED")
        raise
    finally:
        made.reset(noting)
    runs.close_run(store_of(run), run_id, "FINISHED")
    run.workspace.forget_checkpoints(settings.name)


def refer(run: Run, report: RunReport) -> None:
    """Say on a run of which nothing new came, such as a search that went on in vain, where everything stands."""
    if not planner.get() and report.run_id != run.run_id:
        runs.note_same(store_of(run), run.run_id, report.run_id)


def _page(store: Store, run_id: str) -> str | None:
    served = urlsplit(store.uri).scheme in ("http", "https")
    return run_address(store, run_id, store.uri) if served else None


@cache
def _store(settings: str) -> Store:
    parsed = Settings.model_validate_json(settings)
    return connect(parsed, Workspace(parsed.workspace).create())
