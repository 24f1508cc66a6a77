"""`lslm up`: Prefect, MLflow, a worker and Optuna's dashboard, side by side, until Ctrl-C."""

from typing import Annotated, Literal

import typer

from lslm.cli.environment import prepare
from lslm.cli.options import JsonOption, WorkspaceOption, load_pipeline
from lslm.errors import InputError


def up(
    pipeline: Annotated[
        str | None,
        typer.Argument(help="Use the servers that this pipeline names, instead of starting them."),
    ] = None,
    port_prefect: Annotated[int, typer.Option(help="Port of Prefect.", min=1, max=65535)] = 4200,
    port_mlflow: Annotated[int, typer.Option(help="Port of MLflow.", min=1, max=65535)] = 5000,
    port_optuna: Annotated[int, typer.Option(help="Port of Optuna.", min=1, max=65535)] = 8080,
    postgres: Annotated[
        bool | None,
        typer.Option(
            "--postgres/--sqlite",
            help="What all three keep their tables in; default: as before, SQLite at first.",
            show_default=False,
        ),
    ] = None,
    postgres_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="LSLM_POSTGRES_URL",
            help="A PostgreSQL server to use with --postgres, instead of an embedded one.",
        ),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when all is up; `lslm down` stops it.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve Prefect, MLflow and Optuna's dashboard, and run what is scheduled.

    On this machine only, until Ctrl-C or `lslm down`. Runs of the same workspace then use these
    servers. Those that the pipeline, PREFECT_API_URL or MLFLOW_TRACKING_URI names are used as they are.

    \b
    Examples:
      lslm up
      lslm up --detach --postgres
      lslm up --port-mlflow 5001
    """
    from lslm.cli.servers import attached, detached
    from lslm.services.session import Wanted
    from lslm.settings import Settings
    from lslm.workspace import Workspace

    if postgres is False and postgres_url is not None:
        raise InputError("--sqlite and --postgres-url together", right="one of them")
    settings = load_pipeline(pipeline, [], workspace).settings if pipeline else Settings(name="up")
    home = Workspace(workspace or settings.workspace).create()
    wanted = Wanted(
        tracking=settings.tracking,
        pool=settings.execution.pool,
        port_prefect=port_prefect,
        port_mlflow=port_mlflow,
        port_optuna=port_optuna,
        database=_database(postgres, postgres_url),
        postgres_url=postgres_url,
    )
    prepare(home.root, use_servers=False)
    if detach:
        detached(home, as_json)
    else:
        attached(wanted, home, as_json)


def _database(postgres: bool | None, url: str | None) -> Literal["sqlite", "postgres"] | None:
    if postgres is None and url is None:
        return None
    return "sqlite" if postgres is False else "postgres"
