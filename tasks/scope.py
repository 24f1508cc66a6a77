"""The stage that lets a model say that a document belongs to none of its classes."""

from pathlib import Path

import polars as pl

from lslm import heads
from lslm.evaluation import answers, scope
from lslm.evaluation.candidate import in_place_of_network
from lslm.serving import model_folder
from lslm.serving.predictor import Predictor
from lslm.settings import HeadSettings
from lslm.workspace import Handle
from tasks.candidate import Models
from tasks.models import Folds
from tasks.stage import Run, stage


@stage("Out of scope", modules=("lslm.evaluation.scope", "lslm.serving.predictor", "lslm.heads"))
def tell_apart(
    run: Run,
    models: Models,
    folds: Folds,
    outside: Handle | None,
    label: str | None,
    head: HeadSettings,
) -> Models:
    """Choose a threshold on the development set's documents of no class, which nothing else has seen."""
    if outside is None or label is None:
        return models
    kind, given = heads.get(head.kind), [answers.load(each.path) for each in folds.answers]
    texts: list[str] = pl.read_parquet(outside.path, columns=["text"])["text"].to_list()

    def marked(model: Handle, folds: list[answers.Answers]) -> Handle:
        outputs = Predictor.load(model.path, cleans=False).outputs(texts)
        return _with_scope(run, model.path, label, scope.threshold(kind, folds, outputs))

    network = marked(models.network, given)
    if models.candidate == models.network:
        return models.model_copy(update={"network": network, "candidate": network})
    candidate = marked(models.candidate, in_place_of_network(given, models.system))
    return models.model_copy(update={"network": network, "candidate": candidate})


def _with_scope(run: Run, folder: Path, label: str, below: float) -> Handle:
    with run.workspace.scratch() as scratch:
        found = model_folder.Scope(label=label, below=below)
        model_folder.describe(folder, scratch / "model", {"out_of_scope": found})
        return run.workspace.add(scratch / "model")
