"""What the flow `train` would do, found by walking it with every stage looking up its result."""

from pathlib import Path

from flows.train import train
from lslm.planning import StagePlan
from lslm.settings import Settings
from lslm.workspace import Workspace
from tasks.stage import Planner, planner


def plan(settings: Settings, base: Path, workspace: Workspace) -> list[StagePlan]:
    """The stages in order; nothing is run, no server is asked."""
    walking = Planner()
    token = planner.set(walking)
    try:
        train.fn(settings, base)
    finally:
        planner.reset(token)
    return walking.stages
