"""The model card of a registered version, in the form Hugging Face's readers know."""

from lslm.evaluation.markdown import scores_table, verdict
from lslm.evaluation.report import RunReport
from lslm.settings import Settings


def model_card(report: RunReport, settings: Settings) -> str:
    """Markdown with a YAML head (Mitchell et al. 2019, Model Cards for Model Reporting)."""
    sources = "\n".join(f"- `{source.path}`" for source in settings.corpus.sources)
    outside = "\n".join(f"- `{source.path}`" for source in settings.corpus.outside) or "none"
    return f"""---
library_name: lslm
tags: [{settings.head.kind}, lstm]
---

# {report.model}

{verdict(report)}

## Intended use

Answers of the head `{settings.head.kind}` for documents like those it was trained on. It was not tested on others.

## Data

{sources}

Text without labels, for word vectors only: {outside}

## Holdout

{scores_table(report.holdout)}

## Cross-validation

{scores_table(report.cross_validation)}

## Limits

Words that the training text does not have are unknown to it. Documents are cut at
{report.chosen.get("training.max_tokens")} tokens.

## Reproduce

MLflow run `{report.run_id}` holds the settings as rendered, the digests of the data and the metrics.
"""
