"""The commands under one name, and how each of them ends."""

import sys
from typing import Annotated

import typer

from lslm import __version__
from lslm.cli.approve import approve
from lslm.cli.audit import audit
from lslm.cli.compare import compare
from lslm.cli.deploy import deploy
from lslm.cli.doctor import doctor
from lslm.cli.down import down
from lslm.cli.generate import generate
from lslm.cli.history import history
from lslm.cli.init import init
from lslm.cli.models import models
from lslm.cli.plan import plan
from lslm.cli.predict import predict
from lslm.cli.production import production
from lslm.cli.promote import promote
from lslm.cli.quiet import Failed
from lslm.cli.refuse import refuse
from lslm.cli.report import report
from lslm.cli.reproduce import reproduce
from lslm.cli.rollback import rollback
from lslm.cli.run import run
from lslm.cli.score import score
from lslm.cli.summarize import summarize
from lslm.cli.up import up
from lslm.errors import InputError

app = typer.Typer(
    name="lslm",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    run,
    plan,
    deploy,
    init,
    models,
    approve,
    refuse,
    promote,
    rollback,
    history,
    production,
    predict,
    summarize,
    generate,
    score,
    report,
    reproduce,
    compare,
    up,
    down,
    doctor,
):
    app.command()(command)
app.add_typer(audit, name="audit")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"lslm {__version__}")
        raise typer.Exit


@app.callback()
def lslm(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn your own text into a recurrent model you can trust in production.

    \b
    Examples:
      lslm run                                 the shipped pipeline, on film reviews
      lslm init reviews.csv --output my.yaml   a pipeline file for your own text
      lslm run my.yaml --budget 30m
      lslm predict "a small film with a big heart"
      lslm summarize report.txt --sentences 3
      lslm generate notes "The walk began" --seed 1
    """


def run_app() -> None:
    """Run the command on the command line; results on stdout, everything else on stderr."""
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except (Failed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
