"""Sections of the report on calibration, slices and errors, as Markdown; empty where there is nothing."""

from collections.abc import Sequence

from lslm.evaluation.report import (
    Abstention,
    Calibration,
    Errors,
    Mistake,
    RunReport,
    SliceScore,
)
from lslm.evaluation.tables import table, told

_SHOWN_SLICES = 10


def confidence_text(temperature: float, abstain_below: float | None) -> str:
    """What is done to the networks' probabilities before they are told."""
    if temperature == 1.0:
        scaled = "Probabilities are told as the networks give them (temperature 1)."
    else:
        was = "too sure" if temperature > 1 else "not sure enough"
        scaled = (
            f"Probabilities are scaled by temperature {temperature:.3f}, fitted on out-of-fold "
            f"answers, where the networks were {was}. Labels stay."
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


def errors_text(errors: Errors | None) -> str:
    """Which labels are mistaken for which, the surest wrong answers, and labels that are likely wrong."""
    if errors is None:
        return ""
    confusions = [(each.given, each.said, each.n) for each in errors.confusions]
    parts = [
        f"{errors.n_wrong:,} of {errors.n:,} out-of-fold answers are not the label. Documents of the "
        "holdout are not looked at.",
        *([_matrix(errors)] if errors.labels else []),
        table(("label", "taken for", "n"), confusions) if confusions else "No label was mistaken.",
        f"The surest wrong answers:\n\n{_mistakes(errors.confident)}",
        f"{errors.n_suspects:,} labels are likely wrong themselves (confident learning on out-of-fold "
        f"answers); the likeliest:\n\n{_mistakes(errors.suspects)}",
    ]
    return "\n\n".join(parts)


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
