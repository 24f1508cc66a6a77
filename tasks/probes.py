"""Stages that look into the model: which words carry its answers, and which should not."""

import json
from pathlib import Path

import polars as pl

from lslm import heads, progress
from lslm.evaluation.explaining import Explained
from lslm.evaluation.swapping import Swapped
from lslm.serving.predictor import Predictor
from lslm.serving.probing import explain, swapped
from lslm.serving.recipe import Recipe, Serving
from lslm.settings import EmbeddingSettings, Excerpt, HeadSettings, Hyperparameters
from lslm.training import workers
from lslm.workspace import Handle
from tasks.embeddings import Pretrained
from tasks.models import ASSEMBLE, Which, member, prepare_part, rows_of
from tasks.stage import Run, stage


class Explaining(Excerpt):
    """How many documents are explained, of which fold."""

    folds: int
    seed: int
    explained: int


@stage(
    "Explain",
    modules=(
        "lslm.serving.probing",
        "lslm.serving.assembly",
        "lslm.training.fitting",
        "lslm.corpus.splitting",
    ),
)
def explain_answers(
    run: Run,
    development: Handle,
    tokens: Handle,
    pretrained: Pretrained,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    chosen: tuple[Hyperparameters, ...],
    serving: Serving,
    asked: Explaining,
) -> Handle:
    """Leave out words of the last fold's validation documents, for a network that never saw them."""
    found: list[Explained] = []
    if asked.explained and heads.get(head.kind).classes is not None:
        which = Which.for_fold(asked.folds - 1, asked.folds, asked.seed)
        part = prepare_part.submit(
            run, which, development, tokens, pretrained, embedding, head
        ).result()
        single = chosen[-1].replaced({"training.members": 1})
        with run.workspace.scratch() as folder, progress.bar("Network", 1, "networks"):
            member.submit(run, part, head.kind, single, 0, folder / "0.keras").result()
            workers.shared().run(
                ASSEMBLE,
                folder=folder / "model",
                members=[folder / "0.keras"],
                recipe=Recipe(part.path, development.path, head, serving),
                hyperparameters=single,
            )
            predictor = Predictor.load(folder / "model", cleans=False)
        _, validation = rows_of(development.path, which)
        held = pl.read_parquet(development.path)[validation]
        found = explain(predictor, held, asked.explained, asked.seed)
    return _kept(run, found)


@stage("Swap words", modules=("lslm.serving.probing",))
def swap_words(
    run: Run, model: Handle, holdout: Handle, lists: tuple[tuple[str, ...], ...]
) -> Handle:
    """Ask the model about the holdout again, with one word in another's place. No label is read."""
    texts: list[str] = pl.read_parquet(holdout.path, columns=["text"])["text"].to_list()
    predictor = Predictor.load(model.path, cleans=False)
    return _kept(run, swapped(predictor, texts, lists) if lists else [])


def load_explained(path: Path) -> list[Explained]:
    """What `explain_answers` found."""
    return [Explained.model_validate(each) for each in json.loads(path.read_bytes())]


def load_swapped(path: Path) -> list[Swapped]:
    """What `swap_words` found."""
    return [Swapped.model_validate(each) for each in json.loads(path.read_bytes())]


def _kept(run: Run, found: list[Explained] | list[Swapped]) -> Handle:
    with run.workspace.scratch() as folder:
        content = [each.model_dump(mode="json") for each in found]
        (folder / "found.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        return run.workspace.add(folder / "found.json")
