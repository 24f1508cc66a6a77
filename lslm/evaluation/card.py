"""The model card of a registered version, in the form Hugging Face's readers know."""

import json
from collections.abc import Sequence
from typing import Any

from lslm import __version__
from lslm.evaluation.markdown import rules_table, scores_table, verdict
from lslm.evaluation.report import RunReport
from lslm.evaluation.scoring import NETWORK
from lslm.evaluation.sections import confidence_text
from lslm.evaluation.tables import told
from lslm.settings import Settings, Source

_SHOWN_LABELS = 10
_SHOWN_SLICES = 3


def model_card(report: RunReport, settings: Settings) -> str:
    """Markdown with a YAML head (Mitchell et al. 2019, Model Cards for Model Reporting).

    Addresses of databases and servers stay out of it: they may hold passwords.
    """
    sections = {
        "Intended use": _intended_use(report, settings),
        "Data": _data(report, settings),
        "Holdout": scores_table(report.holdout),
        f"Cross-validation, {len(report.cross_validation.folds)} folds": scores_table(
            report.cross_validation
        ),
        "Gate": rules_table(report.decision),
        "Limits": _limits(settings, report),
        "Reproduce": _reproduce(report, settings),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"{_front_matter(report, settings)}\n\n# {report.model}\n\n{verdict(report)}\n\n{body}\n"


def _front_matter(report: RunReport, settings: Settings) -> str:
    """Written as JSON values, which are YAML whatever a name contains."""
    metrics = [
        {"type": name, "value": round(score.value, 6), "name": f"{name}, holdout"}
        for name, score in report.holdout.systems[report.system].items()
    ]
    result = {
        "task": {"type": settings.head.kind},
        "dataset": {"name": report.pipeline, "type": report.pipeline},
        "metrics": metrics,
    }
    values = {
        "library_name": "lslm",
        "tags": [settings.head.kind, *_kind(report, settings)],
        "model-index": [{"name": report.model, "results": [result]}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _kind(report: RunReport, settings: Settings) -> tuple[str, ...]:
    """What answers."""
    if report.system != NETWORK:
        return (report.system,)
    return (str(report.chosen.get("encoder.cell", settings.encoder.cell)), "recurrent")


def _intended_use(report: RunReport, settings: Settings) -> str:
    what = "" if report.system == NETWORK else f", by the baseline {report.system},"
    said = settings.registry.intended_use
    stranger = (
        "and it has no way to say that a document is none of its business."
        if report.out_of_scope is None
        else f"and answers {report.out_of_scope.label!r} where a document seems to be none of its business."
    )
    return (f"{said}\n\n" if said else "") + (
        f"Answers of the head `{settings.head.kind}`{what} for documents like those it was trained on, a CPU "
        f"being enough. It was not tested on others, {stranger}"
    )


def _data(report: RunReport, settings: Settings) -> str:
    split: dict[str, Any] = report.corpus.get("split", {})
    counts = [
        f"- {part}: {_counted(split[part])}"
        for part in ("development", "holdout", "outside")
        if part in split
    ]
    corpus = settings.corpus
    listed = [
        _listed("Learned from", corpus.sources),
        _listed("Holdout given apart", corpus.holdout),
        _listed("Text without labels, for word vectors only", corpus.outside),
    ]
    licence = f"Licence: {corpus.licence or 'not told (`corpus.licence`)'}."
    return "\n\n".join(part for part in ["\n".join(counts), *listed, licence] if part)


def _counted(part: dict[str, Any]) -> str:
    labels: dict[str, int] = part.get("labels", {})
    shown = [f"{label} {n:,}" for label, n in list(labels.items())[:_SHOWN_LABELS]]
    if len(labels) > _SHOWN_LABELS:
        shown.append(f"and {len(labels) - _SHOWN_LABELS} labels more")
    return f"{part['documents']:,} documents" + (f" ({', '.join(shown)})" if shown else "")


def _listed(title: str, sources: Sequence[Source]) -> str:
    lines = "\n".join(f"- `{source.path}`" for source in sources)
    return f"{title}:\n\n{lines}" if sources else ""


def _limits(settings: Settings, report: RunReport) -> str:
    return "\n".join(
        [
            *_limits_of_reading(settings, report),
            *(f"- {line}" for line in (_confidence(report), _weakest(report)) if line),
            "- Intervals are over documents, those of one group drawn together, and hold the model fixed; the "
            "spread over folds shows more.",
        ]
    )


def _limits_of_reading(settings: Settings, report: RunReport) -> list[str]:
    if report.system != NETWORK:
        return ["- It reads bags of words and characters: their order beyond pairs is lost."]
    longest = report.chosen.get("training.max_tokens", settings.training.max_tokens)
    return [
        "- Words that neither the training text nor the outside text has are unknown to it.",
        f"- Documents are cut at {longest} tokens; their middle is left out.",
    ]


def _confidence(report: RunReport) -> str:
    """How far its probabilities can be taken at their word."""
    if report.calibration is None:
        return "Its outputs were not calibrated."
    below = report.abstention.below if report.abstention else None
    always = "" if below else " It always answers."
    return confidence_text(report.calibration.temperature, below) + always


def _weakest(report: RunReport) -> str:
    shown = [f"{each.name}, {told(each.score)}" for each in report.slices[:_SHOWN_SLICES]]
    return f"Weakest slices, {report.goal} out of fold: {'; '.join(shown)}." if shown else ""


def _reproduce(report: RunReport, settings: Settings) -> str:
    return (
        f"`lslm reproduce {report.run_id}`, lslm {__version__}. That MLflow run holds the settings as "
        "rendered, the digests of the data and of everything made from it, and the metrics."
    )
