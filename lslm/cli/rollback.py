"""`lslm rollback`: back to the champion before."""

from typing import Annotated

import typer

from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import ReasonOption, TrackingOption, opened


def rollback(
    name: Annotated[str, typer.Argument(help="A registered model.")],
    reason: ReasonOption = "",
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
) -> None:
    """Make the version before the champion again.

    \b
    Examples:
      lslm rollback rotten-tomatoes --reason "refunds are misread"
    """
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import promotion

        champion = promotion.rollback(store, name, reason)
    print(f"{name} version {champion} is the champion again")
