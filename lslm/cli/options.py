"""Arguments and options that several commands share."""

import json
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
BudgetOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Search for at most this long, such as 5m.")
]
MaxSizeOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", help="Only models whose folder is at most this large, such as 2MB."
    ),
]
MaxLatencyOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Only models that answer one document in this time here, such as 1ms."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def load_pipeline(
    reference: str,
    overrides: list[str],
    workspace: Path | None,
    budget: str | None = None,
    max_size: str | None = None,
    max_latency: str | None = None,
) -> "Pipeline":
    """The pipeline with all that the command line says about it."""
    from lslm.pipelines.loader import load

    named = {
        "search.budget": budget,
        "search.max_size_mb": max_size,
        "search.max_latency_ms": max_latency,
        # As text: what YAML would read as a number or a comment is a folder's name.
        "workspace": None if workspace is None else json.dumps(str(workspace), ensure_ascii=False),
    }
    given = [f"{name}={value}" for name, value in named.items() if value is not None]
    return load(reference, [*overrides, *given])
