"""`lslm history`: who moved the champion, when, from what, to what, and why."""

import dataclasses
import json

from lslm.cli.options import JsonOption, WorkspaceOption
from lslm.cli.registry import NameArgument, TrackingOption, opened


def history(
    name: NameArgument,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every move of a model's champion, oldest first.

    \b
    Examples:
      lslm history rotten-tomatoes
      lslm history rotten-tomatoes --json
    """
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import moves

        found = moves.history(store, name)
    if as_json:
        print(json.dumps([dataclasses.asdict(move) for move in found], indent=2))
        return
    from lslm.cli.tables import show_rows

    show_rows(
        ("when (UTC)", "who", "what", "from", "to", "why", "report"),
        [
            (
                move.when[:19].replace("T", " "),
                move.who,
                move.action,
                move.before or "-",
                move.after,
                move.why,
                move.report[:12],
            )
            for move in found
        ],
    )
