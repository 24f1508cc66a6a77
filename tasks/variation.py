"""The stage that asks how much the score depends on the amount of data, and on chance."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from lslm import progress
from lslm.settings import EmbeddingSettings, Excerpt, HeadSettings, Hyperparameters
from lslm.workspace import Handle
from tasks.embeddings import Pretrained
from tasks.models import Which, fold, prepare_part
from tasks.stage import Pending, Run, stage


class Varied(BaseModel):
    """Answers for the last fold's validation rows, by networks that differ in one thing."""

    model_config = ConfigDict(frozen=True)

    curve: tuple[Handle, ...]
    """A network and the baselines, trained on growing parts of the training rows; all of them last."""
    seeds: tuple[Handle, ...]
    """Networks trained on all of them, from different seeds."""


class Variants(Excerpt):
    """What is varied, and on which fold."""

    folds: int
    seed: int
    curve: tuple[float, ...]
    """Shares of the training rows."""
    seeds: int


@stage("Vary size and seed", modules=("lslm.training.fitting", "lslm.corpus.splitting"))
def vary(
    run: Run,
    development: Handle,
    tokens: Handle,
    pretrained: Pretrained,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    chosen: Hyperparameters,
    baselines: tuple[str, ...],
    asked: Variants,
) -> Varied:
    """Train single networks on parts of one fold's training rows, and from other seeds.

    The last fold, which has the most to train on where folds go forward in time. Everything is fitted
    anew on each part.
    """
    if not asked.curve and asked.seeds < 2:
        return Varied(curve=(), seeds=())
    whole = Which.for_fold(asked.folds - 1, asked.folds, asked.seed)
    cuts = [*(whole.model_copy(update={"kept": share}) for share in sorted(asked.curve)), whole]
    n_fits = len(cuts) * (1 + len(baselines)) + asked.seeds - 1
    with progress.bar("Variants", n_fits, "fits"):
        parts = [
            prepare_part.submit(run, which, development, tokens, pretrained, embedding, head)
            for which in cuts
        ]
        curve = [
            fold.submit(run, which, development, part.result(), head, _single(chosen, 0), baselines)
            for which, part in zip(cuts, parts, strict=True)
        ]
        others = [
            fold.submit(
                run, whole, development, parts[-1].result(), head, _single(chosen, number), ()
            )
            for number in range(1, asked.seeds)
        ]
        return Varied(curve=_results(curve), seeds=_results([curve[-1], *others]))


def _single(chosen: Hyperparameters, number: int) -> Hyperparameters:
    """One network instead of an average; `number` moves its seed."""
    seed = chosen.training.seed + number
    return chosen.replaced({"training.members": 1, "training.seed": seed})


def _results(pending: Sequence[Pending[Handle]]) -> tuple[Handle, ...]:
    return tuple(each.result() for each in pending)
