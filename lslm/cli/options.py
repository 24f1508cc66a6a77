"""Arguments and options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lslm.pipelines.loader import Pipeline

DEFAULT = "rotten-tomatoes"

PipelineArgument = Annotated[
    str,
    typer.Argument(metavar="PIPELINE", help="A shipped pipeline's name, or a pipeline file."),
]
SetOption = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=VALUE", help="Override a setting; may be repeated."),
]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", metavar="DIR", help="Where everything is kept (.lslm, or $LSLM_WORKSPACE)."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def load_pipeline(
    reference: str, overrides: list[str], workspace: Path | None, budget: str | None = None
) -> "Pipeline":
    """The pipeline with all that the command line says about it."""
    from lslm.pipelines.loader import load

    given = [*overrides]
    if budget is not None:
        given.append(f"search.budget={budget}")
    if workspace is not None:
        given.append(f"workspace={workspace}")
    return load(reference, given)
