"""`lslm deploy`: run a pipeline on a schedule, by the workers of a Prefect server."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from lslm.cli.environment import prepare
from lslm.cli.options import (
    DEFAULT,
    JsonOption,
    PipelineArgument,
    SetOption,
    WorkspaceOption,
    load_pipeline,
)
from lslm.errors import InputError

if TYPE_CHECKING:
    from lslm.scheduling import Deployed


def deploy(
    pipeline: PipelineArgument = DEFAULT,
    overrides: SetOption = [],  # noqa: B006 (Typer copies it)
    cron: Annotated[
        str | None, typer.Option(metavar="CRON", help='Such as "0 3 * * *": every day at three.')
    ] = None,
    interval: Annotated[
        str | None, typer.Option(metavar="TIME", help="Such as 24h, from now on.")
    ] = None,
    rrule: Annotated[
        str | None, typer.Option(metavar="RRULE", help="Such as FREQ=WEEKLY;BYDAY=MO;BYHOUR=3.")
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of the schedule, such as Europe/Berlin.")
    ] = "UTC",
    paused: Annotated[
        bool, typer.Option("--paused", help="Nothing runs until it is resumed in Prefect.")
    ] = False,
    pool: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Work pool; the pipeline's (lslm) if not given."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a pipeline on a schedule, on the Prefect server that serves the workspace.

    Makes the deployment train/NAME, or changes it. A run that finds nothing changed ends at once as
    Skipped; two runs of one pipeline never go side by side. Without a schedule it runs when asked:
    in Prefect's pages, by a form, or with `prefect deployment run train/NAME`.

    \b
    Examples:
      lslm up --detach
      lslm deploy my.yaml --cron "0 3 * * *" --timezone Europe/Berlin
      lslm deploy my.yaml --interval 24h --set registry.approval=true
      lslm deploy imdb --paused
    """
    from lslm.cli.quiet import quietly
    from lslm.cli.run import flow
    from lslm.pipelines.loader import shipped
    from lslm.scheduling import Timetable
    from lslm.workspace import Workspace

    if sum(each is not None for each in (cron, interval, rrule)) > 1:
        raise InputError("--cron, --interval and --rrule together", right="one of them")
    loaded = load_pipeline(pipeline, overrides, workspace)
    home = Workspace(loaded.settings.workspace).create()
    prepare(home.root)
    with quietly(home):
        made: Deployed = flow("deploy")(
            loaded.settings,
            pipeline if pipeline in shipped() else str(loaded.file),
            overrides,
            Timetable(cron, interval, rrule, timezone),
            pool or loaded.settings.execution.pool,
            paused,
        )
    if as_json:
        print(json.dumps(dataclasses.asdict(made), indent=2))
    else:
        print(_told(made))


def _told(made: "Deployed") -> str:
    state = "paused" if made.paused else "active"
    return (
        f"{made.name} is deployed to the pool {made.pool}; schedule: {made.schedule}, {state}\n"
        f"  {made.page}\n"
        f"  prefect deployment run {made.name}     run it now"
    )
