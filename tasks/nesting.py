"""The stage that searches again inside each fold, for a score on documents that no search has seen."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from lslm import planning, progress
from lslm.evaluation import nested_cost
from lslm.settings import (
    EmbeddingSettings,
    Excerpt,
    HeadSettings,
    Hyperparameters,
    SearchSettings,
)
from lslm.workspace import Handle
from tasks.embeddings import Pretrained
from tasks.models import Which, fold, prepare_part
from tasks.searching import Found, searched
from tasks.stage import Run, stage


class Nested(BaseModel):
    """What came of searching inside each outer fold; empty where it was not asked for."""

    model_config = ConfigDict(frozen=True)

    answers: tuple[Handle, ...]
    """For each fold's validation rows, by networks whose hyperparameters were chosen without them."""
    found: tuple[Found, ...]
    """What was chosen there."""


class Nesting(Excerpt):
    """Whether there is a search inside each fold, and which folds these are."""

    nested: bool
    folds: int
    seed: int


def _outcome(nested: Nested) -> Any:
    return nested.answers


@stage(
    "Nested cross-validation",
    modules=("lslm.search.study", "lslm.training.fitting", "lslm.corpus.splitting"),
    outcome=_outcome,
)
def nest(
    run: Run,
    development: Handle,
    tokens: Handle,
    pretrained: Pretrained,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    start: Hyperparameters,
    search: SearchSettings,
    asked: Nesting,
) -> Nested:
    """Search on each fold's training rows alone, with the main search's settings; then score what was chosen.

    The folds are those of the cross-validation. One search after the other, so that each has the whole machine, as
    the main one had: with a budget of time they would not be alike otherwise.
    """
    if not asked.nested:
        return Nested(answers=(), found=())
    data = (development, tokens, pretrained, embedding, head)
    took = planning.seconds(run.workspace, run.settings.name)
    progress.say(nested_cost.told(run.settings, took))
    outer = [Which.for_fold(number, asked.folds, asked.seed) for number in range(asked.folds)]
    inner = [search.inside(which.number) for which in outer]
    # All of them first: documents too few for one of these cuts are told before any search, not after the last.
    cuts = [
        [prepare_part.submit(run, cut, *data) for cut in Which.for_search(each, which)]
        for which, each in zip(outer, inner, strict=True)
    ]
    wholes = [prepare_part.submit(run, which, *data) for which in outer]
    parts = [tuple(part.result() for part in each) for each in cuts]
    found: list[Found] = []
    with progress.bar("Searches", asked.folds, "folds") as shown:
        for which, each, search_parts in zip(outer, inner, parts, strict=True):
            found.append(search_inside.here(run, which, search_parts, head, start, each))
            shown.reach(len(found))
    with progress.bar("Fits", sum(each.hyperparameters.training.members for each in found), "fits"):
        answers = [
            fold.submit(run, which, development, whole.result(), head, each.hyperparameters, ())
            for which, whole, each in zip(outer, wholes, found, strict=True)
        ]
        return Nested(answers=tuple(each.result() for each in answers), found=tuple(found))


@stage("Search inside a fold", modules=("lslm.search.study", "lslm.training.fitting"))
def search_inside(
    run: Run,
    which: Which,
    parts: tuple[Handle, ...],
    head: HeadSettings,
    start: Hyperparameters,
    search: SearchSettings,
) -> Found:
    """Choose hyperparameters for one outer fold, on parts of its training rows."""
    return searched(run, parts, head, start, search, fold=which.number + 1)
