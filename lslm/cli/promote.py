"""`lslm promote`: a person makes a version the champion."""

from typing import Annotated

import typer

from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import NameArgument, ReasonOption, TrackingOption, WhoOption, opened, tell


def promote(
    name: NameArgument,
    version: Annotated[str, typer.Argument(help="The version, or an alias of it.")],
    reason: ReasonOption = "",
    by: WhoOption = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
) -> None:
    """Make a version the champion, whatever the gate said; one that waits for approval is approved.

    \b
    Examples:
      lslm promote rotten-tomatoes 3 --reason "read 50 of its answers"
    """
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import approvals

        champion = approvals.overrule(store, name, version, reason, who=by)
        tell(store, name, champion)
    print(f"{name} version {champion} is the champion")
