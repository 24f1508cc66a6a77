"""All questions in the order a person would ask them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lslm.diagnosis import installation, machine, servers, sources
from lslm.diagnosis.checks import Check, Question, answered
from lslm.pipelines.loader import Pipeline
from lslm.settings import ExecutionSettings, Settings, TrackingSettings
from lslm.workspace import Workspace


@dataclass(frozen=True)
class Place:
    """Where to look."""

    workspace: Path
    ports: dict[str, int]
    """By option of `lslm up`."""


def examine(pipeline: Pipeline | None, place: Place) -> Iterator[Check]:
    """Every check, one after the other; what a pipeline needs, where one is given."""
    home = Workspace(place.workspace)
    settings = pipeline.settings if pipeline else Settings(name="doctor")
    for name, question in _questions(settings.execution, settings.tracking, home, place):
        yield from answered(name, question)
    if pipeline is not None:
        yield from answered("sources", partial(sources.sources, pipeline))


def _questions(
    execution: ExecutionSettings, tracking: TrackingSettings, home: Workspace, place: Place
) -> list[tuple[str, Question]]:
    return [
        ("python", installation.python),
        ("packages", installation.packages),
        ("workspace", partial(machine.writable, home.root)),
        ("disk", partial(machine.disk, home.root)),
        ("memory", partial(machine.memory, execution.workers)),
        ("cores", partial(machine.cores, execution.workers)),
        ("training processes", machine.fork_server),
        ("ports", partial(servers.ports, place.ports, home)),
        ("servers", partial(servers.served, home)),
        ("databases", partial(servers.stores, tracking, home)),
        ("stale processes", partial(servers.stale_processes, home)),
        ("stale runs", partial(servers.stale_runs, tracking, home)),
    ]
