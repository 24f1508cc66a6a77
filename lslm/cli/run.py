"""`lslm run`: take a pipeline all the way to a registered model."""

import signal
import threading
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import typer

from lslm.cli.environment import prepare
from lslm.cli.options import (
    DEFAULT,
    BudgetOption,
    JsonOption,
    MaxLatencyOption,
    MaxSizeOption,
    PipelineArgument,
    SetOption,
    WorkspaceOption,
    load_pipeline,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from lslm.evaluation.report import RunReport
    from lslm.pipelines.loader import Pipeline
    from lslm.workspace import Workspace

_RESUMES = "stopped; running the same command goes on where it stopped"


def run(
    pipeline: PipelineArgument = DEFAULT,
    overrides: SetOption = [],  # noqa: B006 (Typer copies it)
    budget: BudgetOption = None,
    max_size: MaxSizeOption = None,
    max_latency: MaxLatencyOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a pipeline from raw text to a registered model.

    What is done and unchanged is not done again; a run that was stopped goes on where it stopped.

    \b
    Examples:
      lslm run
      lslm run imdb --budget 10m
      lslm run my.yaml --max-size 2MB --max-latency 1ms
      lslm run my.yaml --set search.n_trials=40 --set encoder.cell=gru
    """
    from lslm import stopping
    from lslm.cli.quiet import quietly
    from lslm.unfinished import claim_temporary
    from lslm.workspace import Workspace

    loaded = load_pipeline(pipeline, overrides, workspace, budget, max_size, max_latency)
    home = Workspace(loaded.settings.workspace).create()
    prepare(home.root)
    claim_temporary()
    try:
        with (
            quietly(home, on_interrupt=_RESUMES) as terminal,
            stopping.listening(terminal.print),
            home.alone(loaded.settings.name, _waiting(loaded, terminal)),
        ):
            report = _unchanged(loaded, home, terminal) or _trained(loaded, terminal)
    except stopping.Interrupted as stopped:
        raise typer.Exit(stopped.status) from None
    _show(report, as_json)


def _waiting(loaded: "Pipeline", terminal: "Console") -> "Callable[[], None]":
    name = loaded.settings.name
    return lambda: terminal.print(f"another run of {name} is going on; this one waits for its end")


def _unchanged(loaded: "Pipeline", home: "Workspace", terminal: "Console") -> "RunReport | None":
    """The last report, if every stage is done; no server is asked."""
    from lslm.planning import unchanged

    report = unchanged(loaded.settings, loaded.base, home)
    if report is not None:
        terminal.print("nothing changed since the last run")
    return report


def _trained(loaded: "Pipeline", terminal: "Console") -> "RunReport":
    from lslm import progress, stopping
    from lslm.cli.display import TerminalDisplay

    with (
        TerminalDisplay(terminal) as display,
        progress.shown_on(display),
        stopping.limited(_stopped_after(loaded.settings.execution.timeout, terminal.print)),
    ):
        display.stage("start")
        return flow("train")(loaded.settings, loaded.base)


@contextmanager
def _stopped_after(seconds: float | None, say: "Callable[[str], None]") -> "Iterator[None]":
    """What is still running in the block by then is stopped as SIGTERM would: epochs that are running end."""
    if seconds is None:
        yield
        return

    def over() -> None:
        say("the time of execution.timeout is over")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    timer = threading.Timer(seconds, over)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # A signal that is sent already is heard in the block.
        timer.join()


def flow(name: str) -> Any:
    """What the flows offer under a name: the library does not import them, the installation knows."""
    for point in entry_points(group="lslm.flows", name=name):
        return point.load()
    raise LookupError(f"no flow {name!r} is installed beside lslm")


def _show(report: "RunReport", as_json: bool) -> None:
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        from lslm.cli.ending import show

        show(report)
