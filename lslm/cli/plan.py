"""`lslm plan`: what a run would do."""

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lslm.cli.environment import prepare
from lslm.cli.options import (
    DEFAULT,
    JsonOption,
    PipelineArgument,
    SetOption,
    WorkspaceOption,
    load_pipeline,
)

if TYPE_CHECKING:
    from lslm.planning import StagePlan


def plan(
    pipeline: PipelineArgument = DEFAULT,
    overrides: SetOption = [],  # noqa: B006 (Typer copies it)
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say for each stage whether it would run, and which key changed.

    \b
    Examples:
      lslm plan
      lslm plan my.yaml --set encoder.cell=gru
    """
    from lslm.cli.quiet import quietly
    from lslm.workspace import Workspace

    loaded = load_pipeline(pipeline, overrides, workspace)
    home = Workspace(loaded.settings.workspace)
    prepare(home.root)
    with quietly(home):
        from lslm.planning import plan as plan_stages

        stages = plan_stages(loaded.settings, loaded.base, home)
    if as_json:
        print(json.dumps([dataclasses.asdict(stage) for stage in stages], indent=2))
        return
    from lslm.cli.tables import show_rows

    words = {"done": "done", "run": "would run", "unknown": "depends on what comes before"}
    show_rows(
        ("stage", "", "changed"),
        [(stage.stage, words[stage.status], _some(stage.changed)) for stage in stages],
    )
    if loaded.settings.evaluation.nested and _waits("nest", stages):
        from lslm.evaluation.nested_cost import told
        from lslm.planning import seconds

        print(f"\n{told(loaded.settings, seconds(home, loaded.settings.name))}")


def _waits(name: str, stages: "Sequence[StagePlan]") -> bool:
    return any(stage.stage == name and stage.status != "done" for stage in stages)


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
