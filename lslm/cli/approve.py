"""`lslm approve`: a person lets a version that passed the gate become champion."""

from typing import Annotated

import typer

from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import NameArgument, TrackingOption, WhoOption, opened, tell


def approve(
    name: NameArgument,
    version: Annotated[
        str | None, typer.Argument(help="The version; the newest that waits, if not given.")
    ] = None,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the answer.")],
    by: WhoOption = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
) -> None:
    """Make a version that waits for approval the champion.

    A flow that is paused for the answer goes on within seconds.

    \b
    Examples:
      lslm approve rotten-tomatoes --reason "read 50 of its answers"
    """
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import approvals

        number = version or approvals.waiting(store, name)
        said = approvals.answer(store, name, number, approve=True, why=reason, who=by)
        tell(store, name, number)
    print(f"{name} version {number} is the champion ({said.state} by {said.who})")
