"""The report as a page of Markdown: the verdict first."""

from collections.abc import Sequence
from typing import Any

from lslm.evaluation.front import UNITS, bounds_told, front_rows
from lslm.evaluation.nested_text import nested_text
from lslm.evaluation.origin import costs_text, reproduction_text
from lslm.evaluation.probed import explanation_text, swaps_text
from lslm.evaluation.report import Decision, FoldScores, RunReport, Scores
from lslm.evaluation.scoring import NETWORK
from lslm.evaluation.sections import (
    calibration_text,
    errors_text,
    scope_text,
    slices_text,
    variation_text,
)
from lslm.evaluation.tables import literal, table, told
from lslm.statistics.significance import may_be_chance

_SHOWN_CHARACTERS = 80
_SHOWN_TRIALS = 10
_USES = {
    "development": "search, cross-validation, the final fit",
    "holdout": "one score at the end",
    "outside": "word vectors only; its labels are not read",
    "out-of-scope": "the threshold below which a document is out of scope",
    "out-of-scope-holdout": "one score at the end",
}


def markdown(report: RunReport) -> str:
    """A short page of a finished run."""
    parts = [f"## {title}\n\n{text}" for title, text in sections(report).items()]
    return "\n\n".join([f"# {heading(report)}", verdict(report), *parts])


def heading(report: RunReport) -> str:
    """What the page is about."""
    return f"{report.pipeline}: {report.model} version {report.version}"


def sections(report: RunReport) -> dict[str, str]:
    """The body of the page: Markdown by title, in order."""
    folds = report.cross_validation
    found = {
        "Gate": gate_text(report.decision),
        "Holdout": scores_table(report.holdout),
        "Cross-validation": _folds(folds, report.goal),
        "Nested cross-validation": nested_text(report),
        _details_title(report.holdout): _details(report.holdout),
        "Calibration": calibration_text(report),
        "Out of scope": scope_text(report.out_of_scope),
        "Data and chance": variation_text(report),
        "Slices": slices_text(report.slices),
        "Words that decide": explanation_text(report.explanation),
        "Swapped words": swaps_text(report.swaps),
        "Errors": errors_text(report.errors),
        "Data": _data(report),
        "Words": _words(report),
        "Search": _search(report),
        "Hyperparameters": _hyperparameters(report.chosen),
        "Costs": costs_text(report),
        "Reproduction": reproduction_text(report),
    }
    return {title: text for title, text in found.items() if text}


def verdict(report: RunReport) -> str:
    """Does the network beat every baseline, by how much, and could it be chance? Holdout, then folds."""
    on_holdout = _verdict(report, report.holdout, "holdout")
    on_folds = _verdict(report, report.cross_validation, "folds")
    return " ".join(filter(None, [on_holdout, on_folds, _put_forward(report)]))


def _put_forward(report: RunReport) -> str:
    """Whether something else than the network was registered."""
    if report.system == NETWORK:
        return ""
    return f"Registered is the baseline {report.system}, which did better on the folds."


def _verdict(report: RunReport, scores: Scores, where: str) -> str:
    closest = scores.closest(report.goal, report.direction)
    if closest is None:
        return f"On the {where} the network was compared with no baseline."
    sign = 1 if report.direction == "maximize" else -1
    ahead = sign * closest.difference > 0
    beats = "beats every baseline" if ahead else "does not beat every baseline"
    chance = ", which may be chance" if may_be_chance(closest) else ""
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
    return table(("system", *metrics), rows)


def gate_text(decision: Decision) -> str:
    """What the gate said, and its rules."""
    return f"{literal(decision.reason)}\n\n{rules_table(decision)}"


def rules_table(decision: Decision) -> str:
    """A Markdown table of the gate: a row a rule, with its figures and its limit."""
    rows = [(r.name, "yes" if r.passed else "no", r.figures, r.limit) for r in decision.table()]
    return table(("rule", "passed", "figures", "limit"), rows)


def _details_title(scores: Scores) -> str:
    """What the rows are: labels, lengths."""
    return f"{next(iter(scores.details[0])).capitalize()}s" if scores.details else "Details"


def _details(scores: Scores) -> str:
    if not scores.details:
        return "None."
    rows = [[_plain(value) for value in row.values()] for row in scores.details]
    return table(list(scores.details[0]), rows)


def _data(report: RunReport) -> str:
    """What cleaning changed and rejected, a sample of the rejects, and how the rest was cut."""
    return f"{cleaning_text(report.corpus['cleaning'])}\n\n{parts_table(report.corpus['split'])}"


def cleaning_text(cleaning: dict[str, Any]) -> str:
    """What each step of the cleaning changed and rejected, and a sample of the rejects."""
    steps = [(name, n["changed"], n["rejected"]) for name, n in cleaning["steps"].items()]
    rejects = [
        (each["source"], each["row"], each["reason"], each["text"][:_SHOWN_CHARACTERS])
        for each in cleaning["rejects"]
    ]
    near = (
        f"{cleaning['near_duplicate_documents']} documents are near duplicates of others, in "
        f"{cleaning['near_duplicate_groups']} groups; no group is cut apart."
    )
    shown = table(("source", "row", "reason", "text"), rejects)
    sample = f"Some of the rejected:\n\n{shown}" if rejects else "None was rejected."
    return "\n\n".join(
        [
            f"{cleaning['read']:,} documents read, {cleaning['kept']:,} kept. {near}",
            table(("step", "changed", "rejected"), steps),
            sample,
        ]
    )


def parts_table(split: dict[str, Any]) -> str:
    """How many documents each part has, and what it is for."""
    there = [part for part in _USES if part in split and _is_told(part, split[part])]
    rows = [(part, f"{split[part]['documents']:,}", _USES[part]) for part in there]
    return table(("part", "documents", "used for"), rows)


def _is_told(part: str, counts: dict[str, Any]) -> bool:
    return counts["documents"] > 0 or not part.startswith("out-of-scope")


def neighbours_table(near: dict[str, list[str]]) -> str:
    """Words, and those nearest to them."""
    return table(("word", "nearest"), [(word, ", ".join(words)) for word, words in near.items()])


def language_models_table(losses: dict[str, list[float]]) -> str:
    """A row a direction, a column an epoch: the loss of language models, which drawn words make smaller.

    Example:
        >>> print(language_models_table({"forward": [5.2, 4.81]}))
        | direction | epoch 1 | epoch 2 |
        | --- | --- | --- |
        | forward | 5.200 | 4.810 |
    """
    n_epochs = max((len(each) for each in losses.values()), default=0)
    columns = ("direction", *(f"epoch {number}" for number in range(1, n_epochs + 1)))
    rows = [(name, *(f"{loss:.3f}" for loss in each)) for name, each in losses.items()]
    return table(columns, rows)


def folds_table(scores: FoldScores, metric: str) -> str:
    """A row a fold, a column a system; the pooled value with its interval last."""
    rows = [
        (number, *(f"{fold[system][metric]:.4f}" for system in scores.systems))
        for number, fold in enumerate(scores.folds, start=1)
    ]
    pooled = ("pooled", *(told(values[metric]) for values in scores.systems.values()))
    return table(("fold", *scores.systems), [*rows, pooled])


def trials_table(trials: Sequence[dict[str, Any]]) -> str:
    """The best trials of a search, best first, a column each parameter that was searched."""
    best = [trial for trial in trials if trial["state"] == "complete"][:_SHOWN_TRIALS]
    if not best:
        return "No trial finished."
    names = sorted({name for trial in best for name in trial["parameters"]})
    rows = [
        (
            trial["trial"],
            f"{trial['value']:.4f}",
            trial["epochs"],
            *(_short(trial["parameters"].get(name, "")) for name in names),
        )
        for trial in best
    ]
    return table(("trial", "value", "epochs", *names), rows)


def _folds(scores: FoldScores, goal: str) -> str:
    """The pooled values of every metric, and the goal fold by fold."""
    return (
        f"{len(scores.folds)} folds, pooled:\n\n{scores_table(scores)}\n\n"
        f"Each fold's {goal}:\n\n{folds_table(scores, goal)}"
    )


def _words(report: RunReport) -> str:
    """How much of the validation parts' text the vocabulary knows, and what the vectors say."""
    embedding = report.embedding
    rows = [
        (number, f"{size:,}", f"{share:.1%}")
        for number, (size, share) in enumerate(
            zip(embedding["vocabulary"], embedding["coverage"], strict=True), start=1
        )
    ]
    coverage = table(("fold", "words", "share of its validation text known"), rows)
    if not embedding["plane"]:
        return f"{coverage}\n\nThe vectors were not pretrained."
    near = neighbours_table(embedding["neighbours"])
    told = f"{coverage}\n\nNearest words, in the first fold:\n\n{near}"
    if "language_models" not in embedding:
        return told
    losses = language_models_table(embedding["language_models"])
    return (
        f"{told}\n\nThe first recurrent layer begins as language models left it. Their loss on the first "
        f"fold's training part, in nats a word, against drawn words:\n\n{losses}"
    )


def _search(report: RunReport) -> str:
    """How many trials, and what the best came to where it was chosen."""
    return search_text(report.search, report.goal)


def search_text(found: dict[str, Any], goal: str) -> str:
    """What a search came to, from its summary, and its best trials."""
    if found["value"] is None:
        return "None: the settings as they stand."
    parts = [
        f"{found['n_complete']} trials finished, {found['n_pruned']} pruned, {found['n_failed']} "
        f"failed, in {found['seconds']:.0f} s. The best came to {found['value']:.4f} "
        f"{goal} on the validation part that chose it, which is optimistic.",
        _front(found, goal),
        trials_table(found.get("trials", ())),
        idle_text(found),
    ]
    return "\n\n".join(filter(None, parts))


def idle_text(found: dict[str, Any]) -> str:
    """Parameters that made no difference, in words."""
    names: Sequence[str] = found.get("idle", ())
    if not names:
        return ""
    return f"Made no difference here: {', '.join(names)}. They can be left out of search.space."


def _front(found: dict[str, Any], goal: str) -> str:
    """Trials within the bounds that no other beats in every respect."""
    rows = [
        (
            row["trial"],
            f"{row['value']:.4f}",
            *(f"{row[name]:.2f}" for name in UNITS),
            "chosen" if row["chosen"] else "",
        )
        for row in front_rows(found)
    ]
    if not rows:
        return ""
    columns = (
        "trial",
        goal,
        *(f"{name.split('_')[0]}, {unit}" for name, unit in UNITS.items()),
        "",
    )
    return (
        f"Models were held within {bounds_told(found)}; {found['n_over']} trials over that were not trained. "
        f"Trials that no other beats in every respect:\n\n{table(columns, rows)}"
    )


def _hyperparameters(chosen: dict[str, Any]) -> str:
    return table(("name", "value"), [(name, _value(value)) for name, value in chosen.items()])


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _value(value: object) -> str:
    """Without the digits that binary fractions add."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _plain(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
