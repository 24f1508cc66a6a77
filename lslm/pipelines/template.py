"""A pipeline file for a person's own data, the most used settings beside it as comments."""

import json
import math
import re
import textwrap
from pathlib import Path
from typing import Any

from lslm import heads
from lslm.pipelines.glance import Glance
from lslm.settings import Section, Settings

MOST_USED = (
    "cleaning.near_duplicates",
    "split.holdout",
    "text.tokenizer",
    "text.lowercase",
    "embedding.method",
    "embedding.size",
    "encoder.cell",
    "encoder.units",
    "encoder.pooling",
    "training.epochs",
    "training.members",
    "search.n_trials",
    "search.budget",
    "evaluation.folds",
    "gate.must_beat_baselines",
    "registry.approval",
    "execution.workers",
)
_STEPS = 80
"""Of an epoch of a language model, about: with far fewer it hardly learns (docs/log.md, 2026-11-28)."""
_LEAST_ROWS, _MOST_ROWS = 4, 64
_PLAIN = re.compile(r"[A-Za-z_./][\w./ -]*")


def render(seen: Glance, path: str, name: str) -> str:
    """The text of a pipeline file for the data at `path`, as the file will name it."""
    return "\n".join([*_head(seen, path, name), "", *_commented(seen), ""])


def pipeline_name(path: Path) -> str:
    """A name in lower-case letters, digits and hyphens.

    Example:
        >>> pipeline_name(Path("data/My Reviews (2024).csv.gz"))
        'my-reviews-2024'
    """
    stem = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).stem
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "pipeline"


def _head(seen: Glance, path: str, name: str) -> list[str]:
    lines = [
        f"# Looked at {seen.n_rows:,} rows: {_answers(seen)},"
        f" half of the documents have at most {seen.median_words:g} words.",
        f"name: {_yaml(name)}",
        "",
        "corpus:",
        "  sources:",
        f"    - path: {_yaml(path)}",
    ]
    if seen.format in ("csv", "jsonl", "parquet"):
        lines.append(f"  text: {_yaml(seen.text)}")
        lines += _answer_column(seen)
        lines.append("  # Columns, where there are such: rows of one author stay on one side of")
        lines.append("  # every split; with a date, the holdout is the latest part.")
        lines.append("  # group: author")
        lines.append("  # time: date")
    if seen.summary:
        lines += ["", "head:", "  kind: summarize", "  options: {n_sentences: 1, language: en}"]
    if seen.language_model:
        lines += [
            "",
            "head:",
            "  kind: language-model",
            "  options: {weight_dropout: 0.2, activation: 1, temporal: 0.5}",
            "",
            "# A language model learns its own vectors, from its own texts.",
            "embedding:",
            "  method: none",
            "  size: 200",
        ]
    if not (seen.summary or seen.language_model):
        lines += [
            "",
            "# A linear model of words and pairs of words can answer beside the network: for long texts.",
            "# head:",
            "#   options: {linear: 0.5}",
        ]
    return lines


def _answers(seen: Glance) -> str:
    if seen.language_model:
        return "text alone"
    return "with summaries" if seen.summary else f"{len(seen.labels)} labels"


def _answer_column(seen: Glance) -> list[str]:
    if seen.language_model:
        return []
    if seen.summary:
        return [f"  columns: {{summary: {_yaml(seen.summary)}}}"]
    return [f"  label: {_yaml(seen.label or 'label')}"]


def _commented(seen: Glance) -> list[str]:
    """Defaults and descriptions come from the settings themselves, so they cannot drift."""
    settings = Settings(name="defaults")
    lines = ["# These are the defaults; take away a '# ', and that of its section, to change one."]
    before = ""
    language_model = heads.get("language-model")
    left_out = {*language_model.unused, "embedding.method", "embedding.size"}
    for dotted in MOST_USED:
        if seen.language_model and dotted in left_out:
            continue
        section, field = dotted.split(".")
        if section != before:
            alone = seen.language_model and section == "training"
            lines += _language_training(seen) if alone else [f"# {section}:"]
        before = section
        group: Section = getattr(settings, section)
        lines += _why(type(group), field)
        lines.append(f"#   {field}: {_yaml(getattr(group, field))}")
    return lines


def _language_training(seen: Glance) -> list[str]:
    """The section with what a language model of so much text needs."""
    steps = heads.get("language-model").options.model_fields["steps"].default
    rows = seen.n_words / (steps * _STEPS)
    rows = 2 ** math.floor(math.log2(min(max(rows, _LEAST_ROWS), _MOST_ROWS)))
    return [
        "training:",
        "  # Texts stand one behind another in so many rows. Few rows make many steps of a small corpus; more of",
        "  # them, up to 64, are faster where there is far more text than was looked at.",
        f"  batch_size: {rows}",
        "  learning_rate: 0.003",
    ]


def _why(section: type[Section], field: str) -> list[str]:
    description = " ".join((section.model_fields[field].description or "").split())
    return [f"#   # {line}" for line in textwrap.wrap(description, 90)]


def _yaml(value: Any) -> str:
    """A value as YAML; JSON is, where plain text would be read as something else."""
    plain = isinstance(value, str) and _PLAIN.fullmatch(value)
    if plain and value not in ("true", "false", "null"):
        return value
    return json.dumps(value, ensure_ascii=False)
