"""The facts of a finished run, in one record that every page, table and card is made from."""

from typing import Any

from lslm.settings import Section


class Score(Section):
    """A number that can be believed: with its interval and its n."""

    value: float
    low: float
    high: float
    n: int
    """Documents it was computed on."""


class PairedDifference(Section):
    """The network minus another system on the same documents."""

    against: str
    metric: str
    test: str
    difference: float
    low: float
    high: float
    p_value: float
    n: int


class Scores(Section):
    """One data set, all systems; `network` is ours, the others are baselines."""

    systems: dict[str, dict[str, Score]]
    """By system, then by metric."""
    differences: tuple[PairedDifference, ...]
    details: tuple[dict[str, Any], ...] = ()
    """The network's score broken down, such as a row a label."""


class FoldScores(Scores):
    """Cross-validation: `systems` pools the out-of-fold answers; `folds` has each fold's values."""

    folds: tuple[dict[str, dict[str, float]], ...]
    """A dictionary a fold: by system, then by metric."""


class Rule(Section):
    """One line of the gate's decision."""

    name: str
    passed: bool
    figures: str
    """What was compared, in words and numbers."""


class Decision(Section):
    """What the gate said."""

    promoted: bool
    reason: str
    rules: tuple[Rule, ...]


class RunReport(Section):
    """Everything the end of a run shows."""

    pipeline: str
    run_id: str
    """Of MLflow."""
    goal: str
    """The metric that chooses."""
    corpus: dict[str, Any]
    """Counts of the cleaning and the split."""
    embedding: dict[str, Any]
    """Coverage, neighbours."""
    search: dict[str, Any]
    """Trials by state, the best value, the time."""
    chosen: dict[str, Any]
    """Hyperparameters by dotted name."""
    cross_validation: FoldScores
    holdout: Scores
    model: str
    version: str
    decision: Decision
    seconds: dict[str, float]
    """Wall time by stage."""
