"""`lslm audit`: commands that look for what would make numbers untrue."""

import typer

from lslm.cli.leakage import leakage

audit = typer.Typer(
    help="Look for what would make the numbers untrue.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
audit.command()(leakage)


@audit.callback()
def group() -> None:
    """Look for what would make the numbers untrue.

    \b
    Examples:
      lslm audit leakage
    """
