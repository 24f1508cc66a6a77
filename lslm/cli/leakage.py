"""`lslm audit leakage`: whether anything fitted saw what it must not see."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lslm.cli.environment import prepare
from lslm.cli.options import (
    DEFAULT,
    JsonOption,
    SetOption,
    WorkspaceOption,
    load_pipeline,
)
from lslm.cli.registry import RUN_ID, opened
from lslm.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from lslm.audit.findings import Finding
    from lslm.pipelines.loader import Pipeline
    from lslm.workspace import Workspace


def leakage(
    pipeline: Annotated[
        str,
        typer.Argument(
            metavar="PIPELINE|RUN",
            help="A shipped pipeline's name, a pipeline file, or the id of a finished MLflow run.",
        ),
    ] = DEFAULT,
    overrides: SetOption = [],  # noqa: B006 (Typer copies it)
    only: Annotated[
        Literal["records", "canary"] | None,
        typer.Option(help="What a finished run recorded, or the canary, which needs no run."),
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit every part again on its training rows alone.")
    ] = False,
    sample: Annotated[
        int, typer.Option(metavar="N", min=50, help="Documents of each part for the canary.")
    ] = 2000,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that nothing fitted saw validation or holdout documents; status 1 where it did.

    Reads what the last run with these settings recorded, counts again what it counted, and plants
    invented words in a copy of the data.

    \b
    Examples:
      lslm audit leakage
      lslm audit leakage my.yaml --refit
      lslm audit leakage my.yaml --only canary --sample 500
      lslm audit leakage 1eb432859fa846f7b272ed4f098a835e
    """
    from lslm.audit.findings import passed
    from lslm.cli.quiet import quietly
    from lslm.workspace import Workspace

    loaded = _loaded(pipeline, overrides, workspace)
    home = Workspace(loaded.settings.workspace)
    prepare(home.root, use_servers=False)
    findings: list[Finding] = []
    with quietly(home) as terminal:
        if only != "canary":
            findings += _records(loaded, home, refit, terminal)
        if only != "records":
            findings += _canary(loaded, sample, terminal)
    _show(findings, as_json)
    if not passed(findings):
        raise typer.Exit(1)


def _loaded(reference: str, overrides: list[str], workspace: Path | None) -> "Pipeline":
    """A pipeline as its file says, or as a run recorded it."""
    if not RUN_ID.fullmatch(reference):
        return load_pipeline(reference, overrides, workspace)
    if overrides:
        raise InputError(
            "a run's settings are what they were", where="--set", right="a pipeline, or no --set"
        )
    from lslm.pipelines.loader import Pipeline

    with opened(workspace, None) as store:
        from lslm.tracking.reports import fetch_record

        settings, report = fetch_record(store, reference)
        home = store.workspace.root
    if report.provenance is None:
        raise InputError(
            "the run recorded too little",
            where=f"MLflow run {reference}",
            right="a run of this version of lslm",
        )
    base = Path(report.provenance.base)
    return Pipeline(settings.model_copy(update={"workspace": home}), base, base)


def _records(
    loaded: "Pipeline", home: "Workspace", refit: bool, terminal: "Console"
) -> "list[Finding]":
    from lslm import progress
    from lslm.audit import everything
    from lslm.audit import refit as refitting
    from lslm.audit.evidence import Case, Evidence
    from lslm.cli.display import TerminalDisplay
    from lslm.cli.run import flow

    evidence: Evidence = flow("evidence")(loaded.settings, loaded.base, home)
    with TerminalDisplay(terminal) as display, progress.shown_on(display):
        found = everything.examine(evidence)
        return [*found, *refitting.check(Case(evidence))] if refit else found


def _canary(loaded: "Pipeline", sample: int, terminal: "Console") -> "list[Finding]":
    from lslm import progress
    from lslm.audit import canary
    from lslm.cli.display import TerminalDisplay

    with TerminalDisplay(terminal) as display, progress.shown_on(display):
        display.stage("Canary")
        return canary.check(loaded.settings, loaded.base, sample)


def _show(findings: "list[Finding]", as_json: bool) -> None:
    if as_json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
        return
    from lslm.cli.tables import show_rows

    show_rows(
        ("check", "looked at", "n", "result"),
        [(each.check, each.looked_at, f"{each.n:,}", each.result) for each in findings],
    )
    for each in findings:
        if each.detail:
            print(f"\n{each.result}: {each.check}, {each.looked_at}: {each.detail}")
    n = {result: sum(each.result == result for each in findings) for result in ("leak", "unproven")}
    print(f"\n{len(findings)} checks, {n['leak']} leaks, {n['unproven']} unproven")
