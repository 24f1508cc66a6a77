"""What the commands about registered models share: the store, quietly opened."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from lslm.cli.environment import prepare

if TYPE_CHECKING:
    from lslm.tracking.store import Store

TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        metavar="URI",
        envvar="MLFLOW_TRACKING_URI",
        help="MLflow's address, where it is not the workspace's own.",
    ),
]
ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="Kept with the change.")]
NameArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A registered model.")]
WhoOption = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who decides, where it is not the user logged in."),
]


RUN_ID = re.compile(r"[0-9a-f]{32}")
"""What the id of an MLflow run looks like."""


@contextmanager
def opened(workspace: Path | None, uri: str | None) -> Iterator["Store"]:
    """The store of registered models; what MLflow prints goes to the workspace's log.

    A server that does not answer is told at once: a run waits for it, a person at a prompt need not.
    """
    from lslm.cli.quiet import quietly
    from lslm.settings import Settings, TrackingSettings
    from lslm.workspace import Workspace

    settings = Settings(name="models", tracking=TrackingSettings(uri=uri))
    home = Workspace(workspace or settings.workspace).create()
    prepare(home.root)
    with quietly(home):
        from lslm.services import addresses, health
        from lslm.tracking.store import connect

        address = addresses.tracking_uri(settings.tracking, home)
        if urlsplit(address).scheme in ("http", "https"):
            health.refuse_silent(f"--tracking-uri, tracking.uri or {addresses.MLFLOW}", address)
        yield connect(settings, home)


def tell(store: "Store", name: str, version: str) -> None:
    """Put what a person said of a version where its run told what the gate said."""
    from lslm import planning
    from lslm.tracking import shown

    if found := shown.show_answer(store, name, version):
        settings, report = found
        planning.remember_report(settings, store.workspace, report)


def reference(model: str) -> tuple[str, str]:
    """Name, and alias or version.

    Example:
        >>> reference("reviews"), reference("reviews@challenger"), reference("reviews/3")
        (('reviews', 'champion'), ('reviews', 'challenger'), ('reviews', '3'))
    """
    for sign in "@/":
        name, found, which = model.partition(sign)
        if found:
            return name, which
    return model, "champion"
