"""`lslm reproduce`: run again what a run recorded, and name the first thing that differs."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lslm.cli.environment import prepare
from lslm.cli.options import DEFAULT, JsonOption, WorkspaceOption
from lslm.cli.registry import TrackingOption, opened
from lslm.errors import InputError

if TYPE_CHECKING:
    from lslm.evaluation.report import Provenance, RunReport
    from lslm.reproduction import Reproduction, Step
    from lslm.settings import Settings
    from lslm.workspace import Workspace

_SHOWN_DIGEST = 12
_SHOWN_SURROUNDINGS = 8


def reproduce(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="An MLflow run, or a model: NAME, NAME@ALIAS, NAME/VERSION."
        ),
    ] = DEFAULT,
    into: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the new run's workspace in this new folder."),
    ] = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run again from what was recorded, and compare stage by stage; status 1 where something differs.

    The new run has a workspace of its own, which is removed afterwards; nothing is registered with
    your models. It takes as long as the recorded run did. Only runs with `deterministic: true` promise
    the same bits, on the same machine; others show how far chance goes.

    \b
    Examples:
      lslm reproduce
      lslm reproduce my-reviews@champion --json
      lslm reproduce 1eb432859fa846f7b272ed4f098a835e --into again
    """
    if into is not None and into.exists():
        raise InputError("is there already", where=str(into), right="a folder to be made")
    with opened(workspace, tracking_uri) as store:
        from lslm.tracking.reports import fetch_record

        settings, report = fetch_record(store, run)
        root = store.workspace.root
    if report.provenance is None:
        raise InputError(
            "the run recorded too little",
            where=f"MLflow run {report.run_id}",
            right="a run of this version of lslm",
        )
    _with_hash_seed(report.provenance.environment.hash_seed)
    found = _reproduced(settings, report, report.provenance, root, into)
    print(found.model_dump_json(indent=2) if as_json else _told(found))
    if found.first_difference is not None:
        raise typer.Exit(1)


def _with_hash_seed(recorded: str) -> None:
    """Begin anew with the recorded seed of Python's hashes, where it was fixed."""
    if recorded != "random" and os.environ.get("PYTHONHASHSEED") != recorded:
        os.environ["PYTHONHASHSEED"] = recorded
        os.execv(sys.executable, [sys.executable, "-m", "lslm", *sys.argv[1:]])  # noqa: S606 (itself)


def _reproduced(
    settings: "Settings",
    report: "RunReport",
    origin: "Provenance",
    root: Path,
    into: Path | None,
) -> "Reproduction":
    from lslm import reproduction
    from lslm.corpus import sources
    from lslm.workspace import Workspace

    base = Path(origin.base)
    now = sources.fingerprints(settings.corpus, base, Workspace(root))
    read = tuple(reproduction.compare_sources(origin.sources, now))
    steps, surroundings, score = read, (), None
    if all(step.same for step in read):
        fresh = _run(settings, report, base, root, into)
        made = fresh.provenance
        assert made is not None
        steps += tuple(reproduction.compare_made(origin, made))
        surroundings = tuple(
            reproduction.compare_environments(origin.environment, made.environment)
        )
        score = fresh.holdout.systems["network"][fresh.goal].value
    return reproduction.Reproduction(
        run_id=report.run_id,
        deterministic=settings.deterministic,
        steps=steps,
        surroundings=surroundings,
        recorded_score=report.holdout.systems["network"][report.goal].value,
        score=score,
    )


def _run(
    settings: "Settings", report: "RunReport", base: Path, root: Path, into: Path | None
) -> "RunReport":
    from lslm.workspace import Workspace

    if into is not None:
        return _trained(settings, report, base, Workspace(into).create())
    with Workspace(root).scratch() as folder:
        return _trained(settings, report, base, Workspace(folder / "again").create())


def _trained(
    settings: "Settings", report: "RunReport", base: Path, home: "Workspace"
) -> "RunReport":
    from lslm import progress, reproduction
    from lslm.cli.display import TerminalDisplay
    from lslm.cli.quiet import quietly
    from lslm.cli.run import flow

    prepare(home.root, use_servers=False)
    again = reproduction.again(settings, report, home)
    with (
        quietly(home) as terminal,
        TerminalDisplay(terminal) as display,
        progress.shown_on(display),
    ):
        display.stage("start")
        return flow("train")(again, base)


def _told(found: "Reproduction") -> str:
    from lslm.cli.tables import show_rows

    show_rows(("stage", "made", "recorded", "again", ""), [_row(step) for step in found.steps])
    return "\n".join(["", *_surroundings(found), _verdict(found)])


def _row(step: "Step") -> tuple[str, ...]:
    digests = [(each or "nothing")[:_SHOWN_DIGEST] for each in (step.recorded, step.again)]
    return (step.stage, step.name, *digests, "same" if step.same else "differs")


def _surroundings(found: "Reproduction") -> list[str]:
    shown = list(found.surroundings[:_SHOWN_SURROUNDINGS])
    more = len(found.surroundings) - len(shown)
    return [*shown, *([f"and {more} differences more"] if more else []), *([""] if shown else [])]


def _verdict(found: "Reproduction") -> str:
    first = found.first_difference
    if first is None:
        return f"reproduced: {len(found.steps)} of {len(found.steps)} alike, bit by bit"
    what = f"differs first: {first.stage} {first.name}".rstrip()
    if found.score is None:
        return f"{what}; the input is another, nothing was run"
    scores = f"holdout {found.recorded_score:.4f} then, {found.score:.4f} now"
    promised = "" if found.deterministic else "; the run was not deterministic"
    return f"{what}; {scores}{promised}"
