"""Sections of the report on calibration, slices and errors, as Markdown; empty where there is nothing."""

from collections.abc import Sequence

from lslm.evaluation.report import (
    Abstention,
    Calibration,
    CurvePoint,
    Errors,
    Gain,
    Mistake,
    OutOfScope,
    RunReport,
    SeedSpread,
    SliceScore,
)
from lslm.evaluation.tables import literal, table, told

_SHOWN_SLICES = 10


def confidence_text(temperature: float, abstain_below: float | None) -> str:
    """What is done to a model's probabilities before they are told."""
    if temperature == 1.0:
        scaled = "Probabilities are told as they were learned (temperature 1)."
    else:
        was = "too sure" if temperature > 1 else "not sure enough"
        scaled = (
            f"Probabilities are scaled by temperature {temperature:.3f}, fitted on out-of-fold "
            f"answers, which were {was}. Labels stay."
        )
    if abstain_below is None:
        return scaled
    return (
        f"{scaled} The model abstains where the likeliest label has less than {abstain_below:.3f}."
    )


def calibration_text(report: RunReport) -> str:
    """What scaling did on each fold, what abstaining costs, and the reliability on the holdout."""
    if report.calibration is None:
        return ""
    found = report.calibration
    below = report.abstention.below if report.abstention else None
    parts = [
        confidence_text(found.temperature, below),
        f"Each fold, scaled by what the other folds say:\n\n{_fold_calibration(found)}",
        *([_abstention(report.abstention)] if report.abstention else []),
        f"The holdout, as served. Exactly right probabilities would show an error (ece) of "
        f"{found.by_chance:.4f} by chance:\n\n{_reliability(found)}",
    ]
    return "\n\n".join(parts)


def _fold_calibration(found: Calibration) -> str:
    """Only the metrics that scaling changes."""
    names = [
        name
        for name in found.folds[0].before
        if any(fold.before[name] != fold.after[name] for fold in found.folds)
    ]
    rows = [
        (
            number,
            f"{fold.temperature:.3f}",
            *(f"{fold.before[name]:.4f} to {fold.after[name]:.4f}" for name in names),
            fold.n,
        )
        for number, fold in enumerate(found.folds, start=1)
    ]
    return table(
        ("fold", "temperature", *(f"{name}, before to after" for name in names), "n"), rows
    )


def _reliability(found: Calibration) -> str:
    rows = [
        (
            f"{each.low:.3f} to {each.high:.3f}",
            f"{each.confidence:.3f}",
            f"{each.accuracy:.3f}",
            each.n,
        )
        for each in found.reliability
    ]
    return table(("probability told", "mean", "share right", "n"), rows)


def _abstention(found: Abstention) -> str:
    """What a wanted accuracy costs, and whether it was met."""
    if found.below is None:
        return (
            f"Wanted: {found.wanted:.1%} of the answers right. No threshold reached it on the folds, "
            "so the model always answers."
        )
    right = (
        f"{told(found.accuracy)} of them right" if found.accuracy else "nothing to be right about"
    )
    return (
        f"Wanted: {found.wanted:.1%} of the answers right. On the holdout it answers "
        f"{told(found.coverage)} of the documents, {right}."
    )


def scope_text(found: OutOfScope | None) -> str:
    """How well documents of no class are told apart, and the accuracy that is left on the others."""
    if found is None:
        return ""
    how = (
        f"Documents labelled {literal(found.label)} were learned as a class."
        if found.below is None
        else f"No document labelled {literal(found.label)} was learned from. Below a probability of "
        f"{found.below:.3f} the model answers with that label. The threshold was chosen on the development "
        "set, where it is a little optimistic."
    )
    rows = [
        (name, told(each.accuracy), told(each.recall) if each.recall else "no such documents")
        for name, each in (("development", found.development), ("holdout", found.holdout))
    ]
    shown = table(("part", "in-scope accuracy", "out-of-scope recall"), rows)
    return f"{how} An in-scope document that gets that label counts as wrong.\n\n{shown}"


def slices_text(slices: Sequence[SliceScore]) -> str:
    """The worst slices, with their intervals."""
    if not slices:
        return ""
    rows = [
        (
            each.name,
            told(each.score),
            f"{each.rest:.4f}",
            told(each.holdout) if each.holdout else "none",
        )
        for each in slices[:_SHOWN_SLICES]
    ]
    shown = table(("slice", "out of fold", "all others", "holdout"), rows)
    parts = [
        f"The worst {len(rows)} of {len(slices)}, found on out-of-fold answers. The worst of many is "
        f"partly bad luck, of which the holdout's column is free.\n\n{shown}",
    ]
    return "\n\n".join(parts)


def variation_text(report: RunReport) -> str:
    """Would more data help, and how far do networks differ that differ by their seed alone?"""
    found = report.variation
    if found is None:
        return ""
    parts = ["Single networks, trained on the documents of the last fold, or on some of them."]
    if found.gain:
        points = found.curve
        systems = list(points[-1].systems)
        rows = [
            (f"{each.n_training:,}", *(told(each.systems[name]) for name in systems))
            for each in points
        ]
        parts += [table(("trained on", *systems), rows), _gain(found.gain, points, report)]
    if found.seeds:
        parts.append(_seeds(found.seeds, report))
    return "\n\n".join(parts)


def _gain(gain: Gain, points: Sequence[CurvePoint], report: RunReport) -> str:
    less, more = (f"{point.n_training:,}" for point in points[-2:])
    upwards = report.direction == "maximize"
    least, most = (gain.low, gain.high) if upwards else (-gain.high, -gain.low)
    worth = (
        "The curve still gets better: more documents like these are likely worth having."
        if least > 0
        else "That may be chance: this curve does not show that more documents like these would help."
    )
    if most < 0:
        worth = "The score gets worse with more documents: look at the data."
    return (
        f"From {less} to {more} documents the network's score moved by {gain.difference:+.4f} "
        f"({gain.low:+.4f} to {gain.high:+.4f}, n = {gain.n}). {worth}"
    )


def _seeds(spread: SeedSpread, report: RunReport) -> str:
    values = ", ".join(f"{value:.4f}" for value in spread.values)
    told_so_far = (
        f"{len(spread.values)} networks that differ by their seed alone: {values} {report.goal} "
        f"(standard deviation {spread.deviation:.4f})."
    )
    closest = report.cross_validation.closest(report.goal, report.direction)
    if closest is None or not spread.deviation:
        return told_so_far
    ratio = abs(closest.difference) / spread.deviation
    return (
        f"{told_so_far} The difference to {closest.against} over all folds, {closest.difference:+.4f}, "
        f"is {ratio:.1f} times that. A handful of seeds tells the deviation roughly."
    )


def errors_text(errors: Errors | None) -> str:
    """Which labels are mistaken for which, the surest wrong answers, and labels that are likely wrong."""
    if errors is None:
        return ""
    confusions = [(each.given, each.said, each.n) for each in errors.confusions]
    parts = [
        f"{errors.n_wrong:,} of {errors.n:,} out-of-fold answers are not the label. Documents of the "
        "holdout are not looked at.",
        *([_matrix(errors)] if errors.labels else []),
        _confusions(confusions),
        f"The surest wrong answers:\n\n{_mistakes(errors.confident)}",
        f"{errors.n_suspects:,} labels are likely wrong themselves (confident learning on out-of-fold "
        f"answers); the likeliest:\n\n{_mistakes(errors.suspects)}",
    ]
    return "\n\n".join(parts)


def _confusions(pairs: Sequence[tuple[str, str, int]]) -> str:
    if not pairs:
        return "No label was mistaken."
    return f"The most frequent of them:\n\n{table(('label', 'taken for', 'n'), pairs)}"


def _matrix(errors: Errors) -> str:
    rows = [(name, *row) for name, row in zip(errors.labels, errors.matrix, strict=True)]
    return f"Labels in rows, answers in columns:\n\n{table(('', *errors.labels), rows)}"


def _mistakes(mistakes: Sequence[Mistake]) -> str:
    if not mistakes:
        return "None."
    rows = [
        (
            f"{each.source}:{each.row}",
            f"{each.given} ({each.given_probability:.3f})",
            f"{each.said} ({each.said_probability:.3f})",
            each.text,
        )
        for each in mistakes
    ]
    return table(("document", "label", "answer", "text"), rows)
