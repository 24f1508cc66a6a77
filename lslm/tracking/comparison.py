"""Two registered versions on one holdout, document by document."""

from pathlib import Path

import numpy as np
import polars as pl

from lslm import heads
from lslm.errors import InputError
from lslm.serving.model_folder import ModelFolder
from lslm.settings import GateSettings, Section
from lslm.tracking.gate.evidence import answers, differing, paired, unlike
from lslm.tracking.gate.paired import groups_of, paired_test
from lslm.tracking.store import Store
from lslm.tracking.versions import download, find

_HOLDOUT = "lslm.digest.holdout"


class VersionComparison(Section):
    """The first version minus the second, on documents that neither was trained on."""

    first: str
    second: str
    metric: str
    first_value: float
    second_value: float
    difference: float
    low: float
    high: float
    p_value: float
    test: str
    n: int
    n_left_out: int
    """Documents of the holdout that one of the two was trained on."""
    n_groups: int | None = None
    """Groups that the documents were taken in; None where each was taken by itself."""


def compare(
    store: Store, first: tuple[str, str], second: tuple[str, str], settings: GateSettings
) -> VersionComparison:
    """Ask both, each `(name, version or alias)`, about the holdout of the first.

    McNemar's test or a paired bootstrap, as the head says. A look at a holdout: the more
    versions are compared on one, the less a small p means.
    """
    folders = [ModelFolder(download(store, *each)) for each in (first, second)]
    if other := differing(*folders):
        raise InputError(
            f"models that do not compare: {other}",
            where=_named(second),
            right="a model of the same head and cleaning",
        )
    head, documents = heads.get(folders[0].description().head.kind), _holdout(store, *first)
    seen = np.concatenate([folder.seen() for folder in folders])
    fresh = documents.filter(~np.isin(documents["fingerprint"].to_numpy(), seen))
    if fresh.is_empty():
        raise InputError(
            "no document is left that neither was trained on",
            where=f"the holdout of {_named(first)}",
            right="versions of one split, or a fresh holdout",
        )
    both = [answers(folder.folder, fresh) for folder in folders]
    if other := unlike(head, *(targets for _, targets in both)):
        raise InputError(
            f"scores do not compare: {other}",
            where=_named(second),
            right="a model of the same tokens",
        )
    a, b = paired(head, fresh, *both)
    found = paired_test(head, settings)(a, b, groups_of(fresh))
    return VersionComparison(
        first=_named(first),
        second=_named(second),
        metric=head.goal.metric,
        first_value=float(a.mean()),
        second_value=float(b.mean()),
        difference=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        test=found.test,
        n=found.n,
        n_left_out=len(documents) - len(fresh),
        n_groups=found.n_groups,
    )


def _holdout(store: Store, name: str, reference: str) -> pl.DataFrame:
    """The documents themselves are in the workspace alone, never in the registry."""
    digest = find(store, name, reference).tags.get(_HOLDOUT, "")
    path: Path = store.workspace.files / digest / "holdout.parquet"
    if not digest or not path.is_file():
        raise InputError(
            "its holdout is not in this workspace",
            where=f"{_named((name, reference))}, {store.workspace.root}",
            right="the workspace that trained it",
        )
    return pl.read_parquet(path)


def _named(model: tuple[str, str]) -> str:
    return "/".join(model)
