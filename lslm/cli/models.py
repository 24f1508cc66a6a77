"""`lslm models`: what is registered."""

import dataclasses
import json
from typing import Annotated

import typer

from lslm.cli.options import JsonOption, WorkspaceOption
from lslm.cli.registry import TrackingOption, opened


def models(
    name: Annotated[str | None, typer.Argument(help="Show this model only.")] = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
) -> None:
    """List registered models and their versions.

    \b
    Examples:
      lslm models
      lslm models rotten-tomatoes --json
    """
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking.registry import list_models

        rows = list_models(store, name)
    if as_json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=2, default=str))
        return
    from lslm.cli.tables import show_rows

    show_rows(
        ("model", "version", "aliases", "registered (UTC)", "holdout", "gate", "MLflow run"),
        [
            (
                row.name,
                row.version,
                ", ".join(row.aliases),
                row.created[:16].replace("T", " "),
                row.score,
                row.gate,
                row.run_id,
            )
            for row in rows
        ],
    )
