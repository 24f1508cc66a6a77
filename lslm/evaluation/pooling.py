"""Answers of several folds put together, also where the folds know different labels."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from lslm.errors import InputError
from lslm.evaluation.answers import Answers
from lslm.heads.contract import Array, Head


def pool(head: Head, folds: Sequence[Answers]) -> Answers:
    """The answers of all folds as one.

    Targets are fitted inside each fold, so label sets can differ, such as when folds go forward in
    time. Heads with `labels` among their targets are put on the union of the labels; a fold's systems
    give none of their chance to labels they never saw. Those that a head calls a fold's own are left out.
    Other targets have to agree, or InputError.
    """
    folds = [_without(fold, head.of_a_fold) for fold in folds]
    first = folds[0].targets
    if any(fold.targets != first for fold in folds):
        folds = _on_one_label_set(folds)
    systems = folds[0].outputs
    return Answers(
        truth=np.concatenate([fold.truth for fold in folds]),
        outputs={name: np.concatenate([fold.outputs[name] for fold in folds]) for name in systems},
        targets=folds[0].targets,
        part={},
        groups=_pooled([fold.groups for fold in folds]),
    )


def _pooled(groups: Sequence[Array | None]) -> Array | None:
    """Groups are those of the whole corpus, so their numbers are the same in each fold."""
    known = [each for each in groups if each is not None]
    return np.concatenate(known) if len(known) == len(groups) else None


def _without(fold: Answers, names: Collection[str]) -> Answers:
    kept = {name: value for name, value in fold.targets.items() if name not in names}
    return replace(fold, targets=kept)


def spread(outputs: Array, own: Sequence[str], labels: Sequence[str]) -> Array:
    """Outputs in the columns of `labels`, zero where the system has no such label.

    Example:
        >>> spread(np.array([[0.4, 0.6]]), ["a", "c"], ["a", "b", "c"]).tolist()
        [[0.4, 0.0, 0.6]]
    """
    wide = np.zeros((len(outputs), len(labels)), dtype=outputs.dtype)
    wide[:, [labels.index(label) for label in own]] = outputs
    return wide


def _on_one_label_set(folds: Sequence[Answers]) -> list[Answers]:
    rest = [{**fold.targets, "labels": None} for fold in folds]
    if any("labels" not in fold.targets for fold in folds) or any(r != rest[0] for r in rest):
        raise InputError(
            "the folds fitted different targets, and they are not label sets",
            where="evaluation.folds",
            right="folds whose training parts give the same targets",
        )
    labels = sorted({label for fold in folds for label in fold.targets["labels"]})
    return [_moved(fold, labels) for fold in folds]


def _moved(fold: Answers, labels: list[str]) -> Answers:
    own: list[str] = fold.targets["labels"]
    return Answers(
        truth=np.array([labels.index(label) for label in own], dtype=np.int32)[fold.truth],
        outputs={name: spread(outputs, own, labels) for name, outputs in fold.outputs.items()},
        targets={**fold.targets, "labels": labels},
        part=fold.part,
        groups=fold.groups,
    )
