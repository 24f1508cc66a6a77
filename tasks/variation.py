"""The stage that asks how much the score depends on the amount of data, and on chance."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from lslm import heads, progress
from lslm.settings import EmbeddingSettings, Excerpt, HeadSettings, Hyperparameters
from lslm.workspace import Handle
from tasks.embeddings import Pretrained
from tasks.models import Which, fold, prepare_part
from tasks.stage import Pending, Run, stage


class Varied(BaseModel):
    """Answers for the last fold's validation rows, by networks that differ in one thing."""

    model_config = ConfigDict(frozen=True)

    curve: tuple[Handle, ...]
    """A network and the baselines, trained on growing parts of the training rows; all of them last. These alone
    where scores only compare on one vocabulary."""
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
    chosen: tuple[Hyperparameters, ...],
    baselines: tuple[str, ...],
    asked: Variants,
) -> Varied:
    """Train single networks on parts of one fold's training rows, and from other seeds.

    The last fold, which has the most to train on where folds go forward in time. Everything is fitted
    anew on each part, for as many steps as on all rows. With fewer documents a vocabulary is smaller: heads whose
    scores only compare on one vocabulary have no parts.
    """
    shares = sorted(asked.curve) if heads.get(head.kind).yardstick is None else []
    if not shares and asked.seeds < 2:
        return Varied(curve=(), seeds=())
    single = chosen[-1].replaced({"training.members": 1})
    whole = Which.for_fold(asked.folds - 1, asked.folds, asked.seed)
    cuts = [*(whole.model_copy(update={"kept": share}) for share in shares), whole]
    n_fits = len(cuts) * (1 + len(baselines)) + asked.seeds - 1
    with progress.bar("Variants", n_fits, "fits"):
        parts = [
            prepare_part.submit(run, which, development, tokens, pretrained, embedding, head)
            for which in cuts
        ]
        curve = [
            fold.submit(
                run, which, development, part.result(), head, _on(single, which.kept), baselines
            )
            for which, part in zip(cuts, parts, strict=True)
        ]
        others = [
            fold.submit(
                run, whole, development, parts[-1].result(), head, _seeded(single, number), ()
            )
            for number in range(1, asked.seeds)
        ]
        return Varied(curve=_results(curve), seeds=_results([curve[-1], *others]))


def _on(single: Hyperparameters, share: float) -> Hyperparameters:
    """The network on that share of the rows, for as many steps as on all of them."""
    return single.replaced({"training.epochs": round(single.training.epochs / share)})


def _seeded(single: Hyperparameters, number: int) -> Hyperparameters:
    """The network from another seed."""
    return single.replaced({"training.seed": single.training.seed + number})


def _results(pending: Sequence[Pending[Handle]]) -> tuple[Handle, ...]:
    return tuple(each.result() for each in pending)
