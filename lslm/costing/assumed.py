"""What no calibration can tell: how a search will go. Said here once, and in docs/cost.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumed:
    """One view of how the search goes, and how far rates may be off."""

    best_epoch: float
    """Where the chosen trial is at its best, as a share of the epochs; the folds train that long."""
    pruned: float
    """Share of the trials that are pruned, after those that the pruner lets through."""
    quantile: float | None
    """Where the chosen network stands among those of the search space, by cost; None: the mean."""
    rate: float
    """Factor on all rates."""


EXPECTED = Assumed(best_epoch=0.7, pruned=0.5, quantile=None, rate=1.0)
LOW = Assumed(best_epoch=0.5, pruned=0.75, quantile=0.25, rate=0.85)
HIGH = Assumed(best_epoch=1.0, pruned=0.25, quantile=0.75, rate=1.2)

UNPRUNED_TRIALS = 4
"""Trials before the pruner begins (`lslm.search.study`)."""
_PRUNED_AFTER = 3
"""Epochs, or folds, of a pruned trial: it is judged from the second on, and most that are bad are bad then."""
_WILCOXON_AFTER = 4
"""The test cannot be sure of fewer: three of three that are worse are chance in one case of eight."""


def pruned_after(pruner: str) -> int:
    """Epochs of a trial that this pruner stops; folds, where it is judged on several.

    Example:
        >>> pruned_after("median"), pruned_after("wilcoxon")
        (3, 4)
    """
    return _WILCOXON_AFTER if pruner == "wilcoxon" else _PRUNED_AFTER
