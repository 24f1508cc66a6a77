"""How long the flow `train` will take here, stage by stage, and how that was found."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lslm import planning
from lslm.costing import calibration
from lslm.costing.assumed import EXPECTED, HIGH, LOW
from lslm.costing.recorded import recorded
from lslm.costing.stages import STAGES, Costs, Work
from lslm.settings import Settings
from lslm.workspace import Workspace

START = "start"
_BY_SPEED = "by the speed of Python"
_TRUSTED = (0.5, 3.0)
"""A record below this share of what is calculated is of a run that found part of its work done; one above it is of
one that trained for more epochs."""


@dataclass(frozen=True)
class StageEstimate:
    """What one stage is expected to take."""

    stage: str
    status: Literal["done", "run", "unknown"]
    cpu_seconds: float
    """Of all processes together."""
    seconds: float
    """Of wall time, on a machine with nothing else to do."""
    low: float
    high: float
    """Of wall time: see `lslm.costing.assumed`."""
    how: str


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take."""

    stages: tuple[StageEstimate, ...]
    processes: int
    """Training processes."""

    @property
    def cpu_seconds(self) -> float:
        """Of all stages."""
        return sum(stage.cpu_seconds for stage in self.stages)

    @property
    def seconds(self) -> float:
        """Of all stages."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def low(self) -> float:
        """Of all stages: what makes one short makes the others short too."""
        return sum(stage.low for stage in self.stages)

    @property
    def high(self) -> float:
        """Of all stages."""
        return sum(stage.high for stage in self.stages)

    def as_json(self) -> dict[str, Any]:
        """Stages and sums."""
        sums = {name: getattr(self, name) for name in ("cpu_seconds", "seconds", "low", "high")}
        return {**dataclasses.asdict(self), **sums}


def estimate(settings: Settings, base: Path, workspace: Workspace) -> Estimate:
    """What a run would take now; a stage that is done takes nothing.

    Calibrates if this machine and pipeline are not known yet, which takes up to a minute.
    """
    planned = planning.plan(settings, base, workspace)
    if all(stage.status == "done" for stage in planned):
        return Estimate(tuple(_done(stage.stage) for stage in planned), 0)
    rates = calibration.rates(settings, base, workspace)
    views = [Costs(settings, rates, assumed) for assumed in (EXPECTED, LOW, HIGH)]
    known = recorded(settings, base, workspace)
    start = _told(START, "run", [view.start() for view in views], _BY_SPEED)
    stages = (
        _done(stage.stage)
        if stage.status == "done"
        else _stage(stage.stage, stage.status, views, known.get(stage.stage))
        for stage in planned
    )
    return Estimate((start, *stages), views[0].processes)


def forecast(settings: Settings, base: Path, workspace: Workspace) -> dict[str, Work]:
    """What each stage takes by the calibration alone, whatever was done or recorded before."""
    costs = Costs(settings, calibration.rates(settings, base, workspace), EXPECTED)
    return {START: costs.start(), **{stage: costs.of(stage) for stage in STAGES}}


def search_seconds(costs: Iterable[Costs], n_documents: float) -> list[Work]:
    """A whole search on so many documents, under each view."""
    return [view.search(n_documents) for view in costs]


def folds_seconds(costs: Iterable[Costs], n_documents: float) -> list[Work]:
    """Cross-validation on so many documents, under each view."""
    return [
        view.folds(n_documents, view.fold_epochs, view.settings.training.members, view.baselines)
        for view in costs
    ]


def _stage(
    name: str, status: Literal["run", "unknown"], views: list[Costs], record: float | None
) -> StageEstimate:
    works = [view.of(name) for view in views]
    least, most = (share * works[0].cpu for share in _TRUSTED)
    if record is None or not least <= record <= most:
        return _told(name, status, works, _how(name, views[0]))
    factor = record / works[0].cpu if works[0].cpu else 1.0
    scaled = works[0].times(factor)
    around = [scaled, scaled.times(LOW.rate), scaled.times(HIGH.rate)]
    return _told(name, status, around, "as it last ran here")


def _how(name: str, costs: Costs) -> str:
    search = costs.settings.search
    if not costs.growing(name).cpu:
        return _BY_SPEED
    if name == "search" and search.budget is not None:
        return f"calibrated; no trial starts after {search.budget:.0f} s"
    return "calibrated"


def _told(
    name: str, status: Literal["run", "unknown"], works: list[Work], how: str
) -> StageEstimate:
    expected, *others = works
    walls = [expected.wall, *(work.wall for work in others)]
    return StageEstimate(
        stage=name,
        status=status,
        cpu_seconds=expected.cpu,
        seconds=expected.wall,
        low=min(walls),
        high=max(walls),
        how=how,
    )


def _done(name: str) -> StageEstimate:
    return StageEstimate(name, "done", 0.0, 0.0, 0.0, 0.0, "done")
