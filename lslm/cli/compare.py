"""`lslm compare`: two registered versions on the same documents."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lslm.cli.options import JsonOption, WorkspaceOption
from lslm.cli.registry import RUN_ID, TrackingOption, opened, reference

if TYPE_CHECKING:
    from lslm.tracking.comparison import VersionComparison


def compare(
    first: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|RUN", help="NAME, NAME@ALIAS, NAME/VERSION, or the id of an MLflow run."
        ),
    ],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="The same, to compare with.")],
    test: Annotated[
        Literal["auto", "mcnemar", "bootstrap"],
        typer.Option(help="Paired test; auto takes the head's, or one over groups."),
    ] = "auto",
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions, document by document, on the first one's holdout.

    Documents that one of the two was trained on are left out. The holdout is read from the
    workspace that trained the first.

    \b
    Examples:
      lslm compare rotten-tomatoes/2 rotten-tomatoes/1
      lslm compare 1eb432859fa846f7b272ed4f098a835e rotten-tomatoes@champion
      lslm compare reviews@challenger reviews@champion --json
    """
    from lslm.settings import GateSettings

    with opened(workspace, tracking_uri) as store:
        from lslm.tracking import comparison
        from lslm.tracking.versions import of_run

        pair = [
            of_run(store, each) if RUN_ID.fullmatch(each) else reference(each)
            for each in (first, second)
        ]
        found = comparison.compare(store, pair[0], pair[1], GateSettings(test=test))
    print(found.model_dump_json(indent=2) if as_json else _told(found))


def _told(found: "VersionComparison") -> str:
    from lslm.statistics.significance import may_be_chance

    groups = f" in {found.n_groups} groups" if found.n_groups else ""
    left_out = f", {found.n_left_out} left out" if found.n_left_out else ""
    chance = "may be chance" if may_be_chance(found) else "is more than chance"
    return (
        f"{found.metric}, n = {found.n}{groups}{left_out}\n"
        f"  {found.first}   {found.first_value:.4f}\n"
        f"  {found.second}   {found.second_value:.4f}\n"
        f"  difference   {found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f}; "
        f"{found.test}: p = {found.p_value:.3g}), which {chance}"
    )
