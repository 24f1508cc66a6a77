"""The report's section on nested cross-validation, as Markdown; empty where there was none."""

from collections import Counter

from lslm.evaluation.report import NestedScores, RunReport
from lslm.evaluation.scoring import NETWORK
from lslm.evaluation.tables import literal, table, told


def nested_text(report: RunReport) -> str:
    """The nested score beside the searched one, their difference, and what each fold chose."""
    found = report.nested
    if found is None:
        return ""
    took = sum(each.seconds for each in found.choices)
    parts = [
        f"Inside each of {len(found.choices)} folds the whole search was done again, with its settings and "
        f"budget, on the fold's training documents alone ({took:.0f} s together). What it chose there answered "
        "for documents that it had not seen.",
        _scores(found, report),
        _optimism(found, report),
        f"What was chosen:\n\n{_choices(found, report.goal)}",
        _agreement(found),
    ]
    return "\n\n".join(filter(None, parts))


def _scores(found: NestedScores, report: RunReport) -> str:
    searched = report.cross_validation.systems[NETWORK]
    rows = [
        ("nested", *(told(score) for score in found.scores.values())),
        ("searched, same documents", *(told(searched[metric]) for metric in found.scores)),
    ]
    return table(("", *found.scores), rows)


def _optimism(found: NestedScores, report: RunReport) -> str:
    gap, sign = found.optimism, 1 if report.direction == "maximize" else -1
    flatters = sign * gap.difference > 0
    what = (
        "Zero lies between: on these documents no optimism shows."
        if gap.low <= 0 <= gap.high
        else "The search's score on the folds flatters: believe the nested one."
        if flatters
        else "The search's choice does better than those made on fewer documents: no optimism shows."
    )
    best = (
        ""
        if found.best is None
        else f" The best trial of the pipeline's own search came to {found.best:.4f} on the documents that "
        "chose it."
    )
    return (
        f"Optimism, searched minus nested {report.goal}, document by document: {gap.difference:+.4f} "
        f"({gap.low:+.4f} to {gap.high:+.4f}, n = {gap.n}). {what}{best}"
    )


def _choices(found: NestedScores, goal: str) -> str:
    """A row a fold, and what the search on everything chose last."""
    rows = [
        (
            number,
            f"{each.value:.4f}",
            "none" if each.best is None else f"{each.best:.4f}",
            each.n_trials,
            *map(_short, each.chosen.values()),
        )
        for number, each in enumerate(found.choices, start=1)
    ]
    best = "none" if found.best is None else f"{found.best:.4f}"
    own = ("all", "", best, "", *map(_short, found.own.values()))
    return table(("fold", goal, "best of its search", "trials", *found.own), [*rows, own])


def _agreement(found: NestedScores) -> str:
    """How many folds chose the most frequent value of each name: a choice that moves is one of many as good."""
    n = len(found.choices)
    said = [
        f"{literal(name)}: {_most(found, name)} of {n}"
        for name in found.own
        if _is_choice(found, name)
    ]
    return f"Folds that chose the most frequent value: {', '.join(said)}." if said else ""


def _most(found: NestedScores, name: str) -> int:
    return Counter(str(each.chosen[name]) for each in found.choices).most_common(1)[0][1]


def _is_choice(found: NestedScores, name: str) -> bool:
    """Whether equal values mean anything: numbers from a range hardly ever are."""
    return not isinstance(found.own[name], float)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
