"""`lslm promote`: a person makes a version the champion."""

from typing import Annotated

import typer

from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import NameArgument, ReasonOption, TrackingOption, WhoOption, opened


def promote(
    name: NameArgument,
    version: Annotated[str, typer.Argument(help="The version, or an alias of it.")],
    reason: ReasonOption = "",
    by: WhoOption = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
) -> None:
    """Make a version the champion, whatever the gate said.

    \b
    Examples:
      lslm promote rotten-tomatoes 3 --reason "read 50 of its answers"
    """
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import promotion

        champion = promotion.promote(store, name, version, reason, who=by)
    print(f"{name} version {champion} is the champion")
