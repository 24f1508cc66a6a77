"""The flow `train` as a deployment runs it: a form of typed parameters, and no run where nothing changed."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.utilities.timeout import timeout
from pydantic import Field

from flows.train import train
from lslm import planning, progress, stopping
from lslm.cli.environment import prepare
from lslm.cli.options import DEFAULT, load_pipeline
from lslm.errors import InputError
from lslm.evaluation.report import RunReport
from lslm.pipelines.loader import Pipeline
from lslm.settings import default_workspace
from lslm.unfinished import claim_temporary
from lslm.workspace import Workspace
from tasks import flow_runs, runners
from tasks.shown import FlowRunPage


def _name() -> str:
    """Such as `train reviews 2026-11-24 02:00`; Prefect keeps times in UTC."""
    pipeline = Path(str(flow_run.parameters["pipeline"])).stem
    due: datetime = flow_run.scheduled_start_time
    return f"train {pipeline} {due:%Y-%m-%d %H:%M}"


@flow(name="train", flow_run_name=_name)
def scheduled(
    pipeline: str = DEFAULT,
    workspace: Path | None = None,
    overrides: list[str] = [],  # noqa: B006 (Prefect copies it)
    n_trials: Annotated[int | None, Field(ge=1)] = None,
    budget: Annotated[str | None, Field(pattern=r"^\d+(\.\d+)?\s*[smh]$")] = None,
    approval: bool | None = None,
    max_size: Annotated[str | None, Field(pattern=r"^\d+(\.\d+)?\s*([KMG]B)?$")] = None,
    max_latency: Annotated[str | None, Field(pattern=r"^\d+(\.\d+)?\s*(us|ms|s)?$")] = None,
) -> State:
    """Take raw text all the way to a registered model, if anything changed since the last run.

    Args:
        pipeline: A shipped pipeline's name, or the absolute path of a pipeline file.
        workspace: Absolute folder of everything that is made, on the worker's machine; empty takes the
            pipeline's, or LSLM_WORKSPACE of the worker.
        overrides: Settings that differ from the file, such as `search.sampler=random`.
        n_trials: Trials of the search; empty takes the pipeline's.
        budget: Longest time of the search, such as `30m`; empty takes the pipeline's.
        approval: Whether a version that passes the gate waits for a person; empty takes the pipeline's.
        max_size: Largest model folder, such as `2MB`; empty takes the pipeline's.
        max_latency: Longest time of one document on the worker's machine, such as `1ms`; empty takes the
            pipeline's.
    """
    prepare(workspace or default_workspace())
    # Before it waits for others: a run that was tried again still carries the process that is gone.
    flow_runs.mark(flow_runs.own())
    claim_temporary()
    given = {
        "search.n_trials": n_trials,
        "registry.approval": None if approval is None else str(approval).lower(),
    }
    named = [f"{name}={value}" for name, value in given.items() if value is not None]
    loaded = load_pipeline(pipeline, [*overrides, *named], workspace, budget, max_size, max_latency)
    home = _lasting(loaded.settings.workspace)
    page = FlowRunPage(loaded.settings.name)
    with progress.shown_on(page), home.alone(loaded.settings.name, page.waiting):
        if planning.unchanged(loaded.settings, loaded.base, home):
            return Completed(name="Skipped", message="nothing changed")
        with home.underway(loaded.settings.name):
            report = _trained(loaded)
    said = f"{report.model} version {report.version}: {report.decision.reason}"
    return Completed(message=said)


def _lasting(workspace: Path) -> Workspace:
    """The workspace, where it outlives the run: a worker's runs begin in a folder that is deleted after them."""
    if not workspace.is_absolute():
        raise InputError(
            f"{str(workspace)!r} would lie in a folder that is deleted after the run",
            where="workspace",
            right="an absolute folder, or LSLM_WORKSPACE in the worker's environment",
        )
    return Workspace(workspace).create()


def _trained(loaded: Pipeline) -> RunReport:
    """Within this flow run, not below it: an approval pauses the run that people look at."""
    context = FlowRunContext.get()
    assert context is not None
    with (
        stopping.apart(),
        runners.opened(loaded.settings) as runner,
        runner,
        context.model_copy(update={"task_runner": runner}),
        stopping.limited(timeout(loaded.settings.execution.timeout)),
    ):
        return train.fn(loaded.settings, loaded.base)
