"""`lslm refuse`: a person keeps a version that passed the gate from becoming champion."""

from typing import Annotated

import typer

from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import NameArgument, TrackingOption, WhoOption, opened, tell


def refuse(
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
    """Keep a version that waits for approval from becoming champion; it stays challenger.

    A flow that is paused for the answer goes on within seconds.

    \b
    Examples:
      lslm refuse rotten-tomatoes 4 --reason "refunds are misread"
    """
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import approvals

        number = version or approvals.waiting(store, name)
        said = approvals.answer(store, name, number, approve=False, why=reason, who=by)
        tell(store, name, number)
    print(f"{name} version {number} stays challenger ({said.state} by {said.who})")
