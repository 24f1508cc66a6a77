"""`lslm doctor`: what is in the way of a run, and how to mend it."""

import dataclasses
import json
from typing import Annotated

import typer

from lslm.cli.environment import prepare
from lslm.cli.options import JsonOption, WorkspaceOption, load_pipeline
from lslm.errors import InputError


def doctor(
    pipeline: Annotated[
        str | None, typer.Argument(help="Check what this pipeline needs, too.")
    ] = None,
    port_prefect: Annotated[int, typer.Option(help="Port of Prefect.", min=1, max=65535)] = 4200,
    port_mlflow: Annotated[int, typer.Option(help="Port of MLflow.", min=1, max=65535)] = 5000,
    port_optuna: Annotated[int, typer.Option(help="Port of Optuna.", min=1, max=65535)] = 8080,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the installation: versions, ports, databases, disk, memory, what a run would need.

    Ends with status 1 where something fails, with the mend beside it. Changes nothing.

    \b
    Examples:
      lslm doctor
      lslm doctor my.yaml --json
    """
    from lslm.diagnosis.checks import Check
    from lslm.diagnosis.everything import Place, examine
    from lslm.settings import Settings

    ports = {
        "--port-prefect": port_prefect,
        "--port-mlflow": port_mlflow,
        "--port-optuna": port_optuna,
    }
    loaded, refused = None, []
    if pipeline is not None:
        try:
            loaded = load_pipeline(pipeline, [], workspace)
        except InputError as error:
            refused = [Check("pipeline", ok=False, found=str(error), mend="mend that file")]
    settings = loaded.settings if loaded else Settings(name="doctor")
    home = (workspace or settings.workspace).absolute()
    prepare(home, use_servers=False)
    checks = [*refused, *examine(loaded, Place(home, ports))]
    failed = [check for check in checks if not check.ok]
    if as_json:
        print(json.dumps([dataclasses.asdict(check) for check in checks], indent=2))
    else:
        from lslm.cli.tables import show_rows

        show_rows(
            ("check", "", "found"),
            [(check.name, "ok" if check.ok else "failed", check.found) for check in checks],
        )
        for check in failed:
            print(f"\n{check.name}: {check.found}\n  mend: {check.mend}")
    if failed:
        raise typer.Exit(1)
