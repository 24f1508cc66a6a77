"""The plots of a report: SVG that takes its colours from the page, so that it is dark where the page is."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any

from lslm.evaluation.front import UNITS, front_rows
from lslm.evaluation.report import Calibration, CurvePoint, FoldScores, RunReport, Scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _OURS, _OTHERS, _FAINT = "#010203", "#040506", "#070809", "#0a0b0c"
_COLOURS = {
    _INK: "currentColor",
    _OURS: "var(--ours)",
    _OTHERS: "var(--others)",
    _FAINT: "var(--faint)",
}
"""Colours that no plot has are drawn, and given the page's names afterwards."""
_WIDTH = 7.2
_ROW = 0.34


def plots(report: RunReport) -> dict[str, list[str]]:
    """SVG by the title of the section it belongs to."""
    found = report.search
    trials = [each for each in found.get("trials", ()) if each["value"] is not None]
    drawn: dict[str, list[str]] = {
        "Holdout": [_intervals(report.holdout, report.goal)],
        "Cross-validation": [_folds(report.cross_validation, report.goal)],
    }
    if report.variation and report.variation.curve:
        drawn["Data and chance"] = [_curve(report.variation.curve, report.goal)]
    if report.costs and report.costs.stages:
        drawn["Costs"] = [_bars({s.stage: s.seconds for s in report.costs.stages}, "seconds")]
    if report.calibration:
        drawn["Calibration"] = [_reliability(report.calibration)]
    if plane := report.embedding.get("plane"):
        drawn["Words"] = [_plane(plane)]
    if len(trials) > 1:
        drawn["Search"] = [_history(trials, report), _parallel(trials)]
        drawn["Search"] += [_front(found, name, report.goal) for name in found.get("bounds", {})]
        for evaluator, shares in found.get("importances", {}).items():
            drawn["Search"].append(_bars(shares, f"importance, {evaluator}"))
    return drawn


def _intervals(scores: Scores, metric: str) -> str:
    """A row a system: the value and its interval."""
    systems = list(scores.systems)
    with _figure(len(systems)) as (figure, axes):
        for row, system in enumerate(systems):
            score = scores.systems[system][metric]
            colour = _colour(system)
            axes.plot([score.low, score.high], [row, row], color=colour, linewidth=2)
            axes.plot(score.value, row, "o", color=colour)
        _label_rows(axes, systems)
        axes.set_xlabel(metric)
        return _svg(figure, f"{metric} of each system with its interval")


def _folds(scores: FoldScores, metric: str) -> str:
    """A row a system: a dot a fold, a bar for the pooled value's interval."""
    systems = list(scores.systems)
    with _figure(len(systems)) as (figure, axes):
        for row, system in enumerate(systems):
            score, colour = scores.systems[system][metric], _colour(system)
            each = [fold[system][metric] for fold in scores.folds if system in fold]
            axes.plot([score.low, score.high], [row, row], color=colour, linewidth=5, alpha=0.35)
            axes.plot(each, [row] * len(each), "o", color=colour, markersize=4)
            axes.plot(score.value, row, "|", color=colour, markersize=14, markeredgewidth=2)
        _label_rows(axes, systems)
        axes.set_xlabel(f"{metric}: folds as dots, the pooled value as a stroke on its interval")
        return _svg(figure, f"{metric} of each system, fold by fold")


def _reliability(found: Calibration) -> str:
    """The share that is right by the probability told; on the diagonal all is as it should be."""
    bins = found.reliability
    with _figure(8) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1)
        told = [each.confidence for each in bins]
        axes.plot(told, [each.accuracy for each in bins], "o-", color=_OURS)
        axes.set_xlim(min(told) - 0.03, 1.02)
        axes.set_xlabel("probability told, holdout")
        axes.set_ylabel("share right")
        return _svg(figure, "share right by the probability told")


def _curve(points: Sequence[CurvePoint], metric: str) -> str:
    """The metric by the number of documents trained on, with its interval for the network."""
    sizes = [point.n_training for point in points]
    with _figure(8) as (figure, axes):
        for system, line in zip(points[-1].systems, cycle(("-", "--", ":", "-.")), strict=False):
            scores, colour = [point.systems[system] for point in points], _colour(system)
            values = [score.value for score in scores]
            axes.plot(sizes, values, "o", ls=line, color=colour, markersize=4, label=system)
            if system == "network":
                low, high = [s.low for s in scores], [s.high for s in scores]
                axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
        axes.set_xlabel("documents trained on")
        axes.set_ylabel(f"{metric}, validation")
        return _svg(figure, f"{metric} by the number of documents trained on")


def _history(trials: list[dict[str, Any]], report: RunReport) -> str:
    """Values in the order of the trials, pruned ones hollow, and the best so far."""
    ordered = sorted(trials, key=lambda trial: trial["trial"])
    better = max if report.direction == "maximize" else min
    best, line = None, []
    for trial in ordered:
        if trial["state"] == "complete":
            best = trial["value"] if best is None else better(best, trial["value"])
        line.append(best)
    numbers = [trial["trial"] for trial in ordered]
    with _figure(6) as (figure, axes):
        axes.step(
            numbers, [float("nan") if v is None else v for v in line], where="post", color=_OURS
        )
        for state, fill in (("complete", _OURS), ("pruned", "none")):
            chosen = [trial for trial in ordered if trial["state"] == state]
            axes.scatter(
                [trial["trial"] for trial in chosen],
                [trial["value"] for trial in chosen],
                edgecolors=_OURS,
                facecolors=fill,
                s=22,
            )
        axes.set_xlabel("trial (hollow: pruned; line: best so far)")
        axes.set_ylabel(f"{report.goal}, validation")
        return _svg(figure, "value of each trial in order")


def _front(found: dict[str, Any], measure: str, goal: str) -> str:
    """Quality by what a model measures: the front in colour, what was not trained as strokes below."""
    from matplotlib.ticker import LogLocator

    front, trials = front_rows(found), found["trials"]
    names = {row["trial"] for row in front}
    with _figure(8) as (figure, axes):
        others = [t for t in trials if t["value"] is not None and t["trial"] not in names]
        axes.plot(
            [t[measure] for t in others], [t["value"] for t in others], "o", color=_OTHERS, ms=4
        )
        axes.plot(
            [row[measure] for row in front], [row["value"] for row in front], "o", color=_OURS, ms=6
        )
        axes.plot(front[0][measure], front[0]["value"], "o", color=_OURS, ms=12, mfc="none")
        over = [t[measure] for t in trials if t["value"] is None and t[measure] is not None]
        axes.plot(
            over, [0.03] * len(over), "|", color=_FAINT, ms=8, transform=axes.get_xaxis_transform()
        )
        axes.axvline(found["bounds"][measure], color=_FAINT, linewidth=1)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
        what, unit = measure.split("_", maxsplit=1)[0], UNITS[measure]
        axes.set_xlabel(
            f"{what}, {unit} (coloured: the front; ring: chosen; strokes: not trained; line: the bound)"
        )
        axes.set_ylabel(f"{goal}, validation")
        return _svg(figure, f"{goal} by {what} of each trial")


def _parallel(trials: list[dict[str, Any]]) -> str:
    """Parallel coordinates: an axis a parameter, a line a finished trial, the best in colour."""
    finished = [trial for trial in trials if trial["state"] == "complete"]
    names = sorted({name for trial in finished for name in trial["parameters"]})
    values = {
        name: _ranked([trial["parameters"].get(name) for trial in finished]) for name in names
    }
    with _figure(8) as (figure, axes):
        for row in reversed(range(len(finished))):
            heights = [values[name][row] for name in names]
            axes.plot(
                heights,
                range(len(names)),
                color=_OURS if row < 3 else _FAINT,
                linewidth=1.8 if row < 3 else 0.8,
            )
        _label_rows(axes, [name.split(".")[1] for name in names])
        axes.set_xticks([0, 1], ["low", "high"])
        axes.set_xlabel("each parameter's values in order; the three best trials in colour")
        return _svg(figure, "parameters of each finished trial")


def _ranked(values: list[Any]) -> list[float]:
    """Values as places between 0 and 1, in their order."""
    kinds = sorted(set(values), key=lambda value: (isinstance(value, str), value is None, value))
    last = max(1, len(kinds) - 1)
    return [kinds.index(value) / last for value in values]


def _plane(plane: dict[str, Any]) -> str:
    """Words on the plane of their two principal components."""
    with _figure(14) as (figure, axes):
        axes.scatter(
            [x for x, _ in plane.values()], [y for _, y in plane.values()], s=0, color=_INK
        )
        for word, (x, y) in plane.items():
            axes.text(x, y, word, ha="center", va="center", fontsize=8, color=_INK)
        axes.set_axis_off()
        return _svg(figure, "frequent words, near where their vectors are near")


def _bars(values: dict[str, float], label: str) -> str:
    with _figure(len(values)) as (figure, axes):
        axes.barh(range(len(values)), list(values.values()), color=_OTHERS, height=0.6)
        _label_rows(axes, list(values))
        axes.set_xlabel(label)
        return _svg(figure, label)


def _colour(system: str) -> str:
    return _OURS if system == "network" else _OTHERS


def _label_rows(axes: "Axes", names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(y=0.15)


@contextmanager
def _figure(n_rows: int) -> "Iterator[tuple[Figure, Axes]]":
    """A figure without a window; it lives as long as the block."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "lslm",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
        "axes.edgecolor": _FAINT,
    }
    with rc_context(style):
        figure = Figure(figsize=(_WIDTH, 0.9 + _ROW * n_rows), layout="constrained")
        yield figure, figure.add_subplot()


def _svg(figure: "Figure", says: str) -> str:
    """The drawing alone, without a background, a date or an XML head."""
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    text = written.getvalue()
    drawing = text[text.index("<svg") :]
    for colour, name in _COLOURS.items():
        drawing = drawing.replace(colour, name)
    return drawing.replace("<svg", f'<svg role="img" aria-label="{says}"', 1)
