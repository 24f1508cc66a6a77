"""Two runs of the same settings, stage by stage: where do they part?"""

from collections.abc import Iterator

from lslm.evaluation.report import Environment, Provenance, RunReport
from lslm.settings import Section, Settings, TrackingSettings
from lslm.workspace import Workspace

READ = "read"
"""The stage before all others: the input files."""


class Step(Section):
    """One thing that both runs should have made alike."""

    stage: str
    name: str
    recorded: str | None
    """SHA-256; None where only the new run made it."""
    again: str | None

    @property
    def same(self) -> bool:
        """Whether both made the same bits."""
        return self.recorded == self.again


class Reproduction(Section):
    """What running again came to."""

    run_id: str
    deterministic: bool
    """Whether the run promised to give the same bits."""
    steps: tuple[Step, ...]
    surroundings: tuple[str, ...]
    """What differs between then and now besides settings and data."""
    recorded_score: float
    """Of the goal on the holdout."""
    score: float | None
    """None where the input files differ, and nothing was run."""

    @property
    def first_difference(self) -> Step | None:
        """The first thing that differs, in the order in which things are made."""
        return next((step for step in self.steps if not step.same), None)


def again(settings: Settings, recorded: RunReport, workspace: Workspace) -> Settings:
    """Settings that do in an empty workspace what the run did, and register nothing elsewhere.

    A budget of time means another number of trials on another day: as many as there were are done.
    """
    search = settings.search
    n_trials = recorded.search["n_complete"] + recorded.search["n_pruned"]
    origin = recorded.provenance
    execution = settings.execution
    if origin is not None:
        execution = execution.model_copy(update={"workers": origin.environment.workers})
    return settings.model_copy(
        update={
            "workspace": workspace.root,
            "search": search.model_copy(update={"n_trials": n_trials, "budget": None}),
            "registry": settings.registry.model_copy(update={"approval": False}),
            "tracking": TrackingSettings(uri=workspace.tracking_uri, study_url=workspace.study_url),
            "execution": execution,
        }
    )


def compare_sources(recorded: dict[str, str], now: dict[str, str]) -> Iterator[Step]:
    """Every input file then and now."""
    for name in dict.fromkeys([*recorded, *now]):
        yield Step(stage=READ, name=name, recorded=recorded.get(name), again=now.get(name))


def compare_made(recorded: Provenance, now: Provenance) -> Iterator[Step]:
    """Everything that was made, in the order in which the recorded run made it."""
    before = {(each.stage, each.name): each.digest for each in recorded.made}
    after = {(each.stage, each.name): each.digest for each in now.made}
    for key in dict.fromkeys([*before, *after]):
        stage, name = key
        yield Step(stage=stage, name=name, recorded=before.get(key), again=after.get(key))


def compare_environments(recorded: Environment, now: Environment) -> Iterator[str]:
    """What differs, in words."""
    for field in ("python", "system", "processor", "workers", "hash_seed"):
        then, here = getattr(recorded, field), getattr(now, field)
        if then != here:
            yield f"{field.replace('_', ' ')}: {then} then, {here} now"
    for name in sorted(recorded.packages.keys() | now.packages.keys()):
        versions = recorded.packages.get(name, "none"), now.packages.get(name, "none")
        if versions[0] != versions[1]:
            yield f"package {name}: {versions[0]} then, {versions[1]} now"
