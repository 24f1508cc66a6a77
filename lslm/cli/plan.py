"""`lslm plan`: what a run would do, and how long it would take."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

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
    from rich.console import Console

    from lslm.costing.estimate import Estimate
    from lslm.pipelines.loader import Pipeline
    from lslm.planning import StagePlan
    from lslm.workspace import Workspace


def plan(
    pipeline: PipelineArgument = DEFAULT,
    overrides: SetOption = [],  # noqa: B006 (Typer copies it)
    budget: BudgetOption = None,
    max_size: MaxSizeOption = None,
    max_latency: MaxLatencyOption = None,
    workspace: WorkspaceOption = None,
    cost: Annotated[
        bool,
        typer.Option(
            "--cost", help="Tell how long it would take here; calibrates for up to a minute."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say for each stage whether it would run, and which key changed.

    \b
    Examples:
      lslm plan
      lslm plan my.yaml --set encoder.cell=gru
      lslm plan my.yaml --cost
    """
    from lslm.cli.quiet import quietly
    from lslm.workspace import Workspace

    loaded = load_pipeline(pipeline, overrides, workspace, budget, max_size, max_latency)
    home = Workspace(loaded.settings.workspace)
    prepare(home.root)
    if cost:
        with quietly(home) as terminal:
            estimate = _estimated(loaded, home, terminal)
        _show_cost(estimate, as_json)
        return
    with quietly(home):
        from lslm.planning import plan as plan_stages

        stages = plan_stages(loaded.settings, loaded.base, home)
    _show_plan(stages, as_json)
    if not as_json and loaded.settings.evaluation.nested and _waits("nest", stages):
        from lslm.evaluation.nested_cost import told
        from lslm.planning import seconds

        print(f"\n{told(loaded.settings, seconds(home, loaded.settings.name))}")


def _estimated(loaded: "Pipeline", home: "Workspace", terminal: "Console") -> "Estimate":
    from lslm import progress
    from lslm.cli.display import TerminalDisplay
    from lslm.costing.estimate import estimate

    with TerminalDisplay(terminal) as display, progress.shown_on(display):
        return estimate(loaded.settings, loaded.base, home.create())


def _show_plan(stages: "Sequence[StagePlan]", as_json: bool) -> None:
    if as_json:
        print(json.dumps([dataclasses.asdict(stage) for stage in stages], indent=2))
        return
    from lslm.cli.tables import show_rows

    words = {"done": "done", "run": "would run", "unknown": "depends on what comes before"}
    show_rows(
        ("stage", "", "changed"),
        [(stage.stage, words[stage.status], _some(stage.changed)) for stage in stages],
    )


def _waits(name: str, stages: "Sequence[StagePlan]") -> bool:
    return any(stage.stage == name and stage.status != "done" for stage in stages)


def _show_cost(estimate: "Estimate", as_json: bool) -> None:
    if as_json:
        print(json.dumps(estimate.as_json(), indent=2))
        return
    from lslm.cli.tables import show_rows

    columns = ("stage", "time", "between", "CPU seconds", "how it was found")
    show_rows(columns, _cost_rows(estimate))


def _cost_rows(estimate: "Estimate") -> Iterator[tuple[str, str, str, str, str]]:
    from lslm.cli.display import duration

    def row(
        name: str, seconds: float, low: float, high: float, cpu: float, how: str
    ) -> tuple[str, str, str, str, str]:
        return name, duration(seconds), f"{duration(low)} and {duration(high)}", f"{cpu:.0f}", how

    for each in estimate.stages:
        if each.status == "done":
            yield each.stage, "-", "", "", each.how
        else:
            yield row(each.stage, each.seconds, each.low, each.high, each.cpu_seconds, each.how)
    yield row(
        "in all",
        estimate.seconds,
        estimate.low,
        estimate.high,
        estimate.cpu_seconds,
        f"{estimate.processes} training processes, nothing else at work",
    )


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
