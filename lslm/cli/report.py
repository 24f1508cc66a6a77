"""`lslm report`: the page of a finished run, in the browser."""

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from lslm.cli.options import DEFAULT, WorkspaceOption
from lslm.cli.registry import TrackingOption, opened
from lslm.errors import InputError


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="An MLflow run, or a model: NAME, NAME@ALIAS, NAME/VERSION."
        ),
    ] = DEFAULT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page to a file as well.")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print its path alone.")] = False,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
) -> None:
    """Open the report of a finished run: one HTML file, which works offline and prints.

    Of a model, the run that made the version; without a version, the newest. Prints the path of
    the file; a browser opens where the output is a terminal.

    \b
    Examples:
      lslm report
      lslm report rotten-tomatoes@champion --output report.html
      lslm report 1eb432859fa846f7b272ed4f098a835e --no-open
    """
    if output is not None and not output.absolute().parent.is_dir():
        raise InputError("no such folder", where=str(output.parent), right="one that is there")
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking.reports import fetch

        path = fetch(store, run)
    if output is not None:
        output.write_bytes(path.read_bytes())
        path = output
    print(path)
    if sys.stdout.isatty() and not no_open:
        webbrowser.open(path.absolute().as_uri())
