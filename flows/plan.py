"""What the flow `train` would do, found by walking it with every stage looking up its result."""

from pathlib import Path
from typing import Any

from flows.train import train
from lslm.evaluation.report import RunReport
from lslm.planning import Plan
from lslm.settings import Settings
from lslm.workspace import Workspace
from tasks.stage import Planner, planner


def plan(settings: Settings, base: Path, workspace: Workspace) -> Plan:
    """The stages in order, and the report they made; nothing is run, no server is asked."""
    walking = Planner()
    token = planner.set(walking)
    try:
        found: Any = train.fn(settings, base)
    finally:
        planner.reset(token)
    return Plan(walking.stages, found if isinstance(found, RunReport) else None)
