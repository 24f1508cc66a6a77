"""The report as a page of Markdown: the verdict first."""

from collections.abc import Sequence

from lslm.evaluation.report import RunReport, Score, Scores


def markdown(report: RunReport) -> str:
    """A short page of a finished run."""
    return "\n\n".join(
        [
            f"# {report.pipeline}: {report.model} version {report.version}",
            verdict(report),
            f"## Gate\n\n{report.decision.reason}\n\n{_rules(report)}",
            f"## Holdout\n\n{scores_table(report.holdout)}",
            f"## Cross-validation, {len(report.cross_validation.folds)} folds\n\n"
            f"{scores_table(report.cross_validation)}",
            f"## Labels\n\n{_details(report.holdout)}",
            f"## Hyperparameters\n\n{_table(('name', 'value'), list(report.chosen.items()))}",
            f"## Time\n\n{_times(report)}",
            f"MLflow run `{report.run_id}`.",
        ]
    )


def verdict(report: RunReport) -> str:
    """Does the network beat every baseline, by how much, and could it be chance? Holdout, then folds."""
    on_holdout = _verdict(report, report.holdout, "holdout")
    return f"{on_holdout} {_verdict(report, report.cross_validation, 'folds')}"


def _verdict(report: RunReport, scores: Scores, where: str) -> str:
    found = [each for each in scores.differences if each.metric == report.goal]
    if not found:
        return f"On the {where} the network was compared with no baseline."
    closest = min(found, key=lambda each: each.difference)
    beats = "beats every baseline" if closest.difference > 0 else "does not beat every baseline"
    chance = ", which may be chance" if closest.low <= 0 <= closest.high else ""
    return (
        f"On the {where} the network {beats}: {closest.difference:+.4f} {closest.metric} against "
        f"{closest.against} ({closest.low:+.4f} to {closest.high:+.4f}; {closest.test}: "
        f"p = {closest.p_value:.3g}; n = {closest.n}){chance}."
    )


def scores_table(scores: Scores) -> str:
    """A Markdown table: a row a system, a column a metric, each value with its interval."""
    metrics = list(scores.systems["network"])
    rows = [
        (system, *(told(values[metric]) for metric in metrics))
        for system, values in scores.systems.items()
    ]
    return _table(("system", *metrics), rows)


def told(score: Score) -> str:
    """A score with its interval and n."""
    return f"{score.value:.4f} ({score.low:.4f} to {score.high:.4f}, n = {score.n})"


def _rules(report: RunReport) -> str:
    rows = [(r.name, "yes" if r.passed else "no", r.figures) for r in report.decision.rules]
    return _table(("rule", "passed", "figures"), rows)


def _details(scores: Scores) -> str:
    if not scores.details:
        return "None."
    rows = [[_plain(value) for value in row.values()] for row in scores.details]
    return _table(list(scores.details[0]), rows)


def _times(report: RunReport) -> str:
    rows = [(stage, f"{seconds:.1f} s") for stage, seconds in report.seconds.items()]
    return _table(("stage", "time"), rows)


def _plain(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
