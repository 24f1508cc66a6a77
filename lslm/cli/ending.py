"""The end of a run as tables."""

import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lslm import heads
from lslm.cli.display import duration
from lslm.evaluation.front import UNITS, bounds_told, front_rows
from lslm.evaluation.markdown import idle_text
from lslm.evaluation.report import (
    FoldScores,
    NestedScores,
    PairedDifference,
    RunReport,
    Score,
    Scores,
)

_PIPE_WIDTH = 120


def show(report: RunReport) -> None:
    """Print what a finished run found, on stdout."""
    # A pipe has no width of its own.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    metric = report.goal
    lower = ", lower is better" if report.direction == "minimize" else ""
    console.print(_scores(f"Holdout, scored once{lower}", report.holdout, metric))
    console.print(_folds(report.cross_validation, metric, lower))
    if report.search.get("front"):
        console.print(_front(report, lower))
    if report.nested:
        console.print(_nested(report.nested, report, lower))
    console.print(_chosen(report))
    if idle := idle_text(report.search):
        console.print(f"\n{idle}")
    console.print(f"\n{_ending(report)}")


def _scores(title: str, scores: Scores, metric: str) -> Table:
    table = _table(title, "system", metric, "interval", "n", "network minus it")
    differences = _by_system(scores, metric)
    for system, values in scores.systems.items():
        score = values[metric]
        difference = _difference(differences.get(system))
        table.add_row(system, _number(score.value), _interval(score), str(score.n), difference)
    return table


def _folds(scores: FoldScores, metric: str, lower: str) -> Table:
    title = f"Cross-validation, {len(scores.folds)} folds pooled{lower}"
    table = _table(title, "system", metric, "interval", "folds from .. to", "network minus it")
    differences = _by_system(scores, metric)
    for system, values in scores.systems.items():
        each = [fold[system][metric] for fold in scores.folds if system in fold]
        spread = f"{_number(min(each))} .. {_number(max(each))}" if each else ""
        score = values[metric]
        difference = _difference(differences.get(system))
        table.add_row(system, _number(score.value), _interval(score), spread, difference)
    return table


def _front(report: RunReport, lower: str) -> Table:
    """Trials within the bounds that no other beats in every respect."""
    found = report.search
    title = f"Front within {bounds_told(found)}{lower}"
    table = _table(title, "trial", report.goal, *(UNITS.values()), "")
    for row in front_rows(found):
        measured = (f"{row[name]:.2f}" for name in UNITS)
        mark = "chosen" if row["chosen"] else ""
        table.add_row(str(row["trial"]), _number(row["value"]), *measured, mark)
    return table


def _nested(found: NestedScores, report: RunReport, lower: str) -> Table:
    metric, gap = report.goal, found.optimism
    title = f"Nested cross-validation, a search inside each of {len(found.choices)} folds{lower}"
    table = _table(title, "", metric, "interval", "n")
    searched = report.cross_validation.systems["network"][metric]
    for name, score in (("nested", found.scores[metric]), ("searched, same documents", searched)):
        table.add_row(name, _number(score.value), _interval(score), str(score.n))
    ends = rf"\[{gap.low:+.3f}, {gap.high:+.3f}]"
    table.add_row("optimism, paired", f"{gap.difference:+.3f}", ends, str(gap.n))
    return table


def _chosen(report: RunReport) -> Table:
    table = _table("Chosen hyperparameters", "setting", "value")
    for name, value in sorted(report.chosen.items()):
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    return table


def _ending(report: RunReport) -> str:
    decision = report.decision
    marks = {True: "[green]✓[/]", False: "[red]✗[/]"}
    rules = [
        f"  {marks[rule.passed]} {rule.name}: {escape(rule.figures)}" for rule in decision.table()
    ]
    alias = "champion" if decision.promoted else "challenger"
    lines = [
        f"[bold]{report.model}[/] version [bold]{report.version}[/] is registered as {alias}:"
        f" {escape(decision.reason)}",
        *rules,
        f"[dim]in {duration(sum(report.seconds.values()))}; MLflow run {report.run_id}[/]",
        "",
        *_question(report),
        "  lslm up                         browse the runs in MLflow and Prefect",
        "  " + heads.get(report.head).question.format(model=f"{report.model}/{report.version}"),
    ]
    return "\n".join(lines)


def _question(report: RunReport) -> list[str]:
    """What a person is asked to do about a version that waits."""
    said = report.decision.approval
    if said is None or said.state != "pending":
        return []
    which, until = f"{report.model} {report.version}", said.until[:16].replace("T", " ")
    return [
        f"  lslm approve {which} --reason ...   before {until} UTC, makes it the champion",
        f"  lslm refuse {which} --reason ...    leaves it the challenger, as silence does",
    ]


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=None,
        pad_edge=False,
    )
    table.add_column(columns[0], overflow="fold")
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _by_system(scores: Scores, metric: str) -> dict[str, PairedDifference]:
    return {d.against: d for d in scores.differences if d.metric == metric}


def _difference(paired: PairedDifference | None) -> str:
    if paired is None:
        return ""
    low, high = f"{paired.low:+.3f}", f"{paired.high:+.3f}"
    return f"{paired.difference:+.3f} [{low}, {high}]".replace("[", r"\[")


def _interval(score: Score) -> str:
    return rf"\[{_number(score.low)}, {_number(score.high)}]"


def _number(value: float) -> str:
    return f"{value:.3f}"
