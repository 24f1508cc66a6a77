"""`lslm rollback`: back to the champion before."""

from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import NameArgument, ReasonOption, TrackingOption, WhoOption, opened


def rollback(
    name: NameArgument,
    reason: ReasonOption = "",
    by: WhoOption = None,
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

        champion = promotion.rollback(store, name, reason, who=by)
    print(f"{name} version {champion} is the champion again")
