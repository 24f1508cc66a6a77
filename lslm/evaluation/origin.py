"""Sections of the report on what a run cost and what it was made from, as Markdown."""

from lslm.evaluation.report import Costs, Provenance, RunReport, StageCost
from lslm.evaluation.tables import literal, table

_SHOWN_DIGEST = 16


def costs_text(report: RunReport) -> str:
    """Time, processor time and memory of each stage, and an estimate of the energy."""
    if report.costs is None:
        return table(("stage", "s"), [(s, f"{t:.1f}") for s, t in report.seconds.items()])
    costs = report.costs
    rows = [_stage(stage) for stage in costs.stages]
    total = ("all", f"{sum(each.seconds for each in costs.stages):.1f}", f"{costs.cpu_seconds:.1f}")
    peak = f"{max((each.peak_mb for each in costs.stages), default=0.0):,.0f}"
    shown = table(("stage", "s", "CPU s", "peak MB", ""), [*rows, (*total, peak, "")])
    return f"{shown}\n\n{_energy(costs)}"


def _stage(cost: StageCost) -> tuple[str, ...]:
    return (
        cost.stage,
        f"{cost.seconds:.1f}",
        f"{cost.cpu_seconds:.1f}",
        f"{cost.peak_mb:,.0f}",
        "found done from an earlier run" if cost.earlier else "",
    )


def _energy(costs: Costs) -> str:
    return (
        f"About {costs.watt_hours:.2g} Wh: the CPU time at {costs.watts_per_core:g} W a busy core "
        "(`execution.watts_per_core`), which is assumed, not measured. Memory is that of all processes "
        "together, shared pages counted once."
    )


def reproduction_text(report: RunReport) -> str:
    """The command that makes it again, and the digests of what went in and came out."""
    about = f"MLflow run `{report.run_id}`: its settings are `settings.yaml` there."
    if report.provenance is None:
        return about
    origin = report.provenance
    read = [(name, digest[:_SHOWN_DIGEST]) for name, digest in origin.sources.items()]
    made = [(each.stage, each.name, each.digest[:_SHOWN_DIGEST]) for each in origin.made]
    parts = [
        f"{about} `lslm reproduce {report.run_id}` runs it again and names the first thing that differs.",
        _surroundings(origin),
        table(("read", "SHA-256 begins"), read),
        table(("stage", "made", "SHA-256 begins"), made),
    ]
    return "\n\n".join(parts)


def _surroundings(origin: Provenance) -> str:
    here = origin.environment
    return (
        f"Python {here.python}, {len(here.packages)} packages as `report.json` lists them, "
        f"{literal(here.system)}, {literal(here.processor)}, {here.workers} training processes, hash seed "
        f"{here.hash_seed}."
    )
