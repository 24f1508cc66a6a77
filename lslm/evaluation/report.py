"""The facts of a finished run, in one record that every page, table and card is made from."""

from typing import Any, Literal

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
    limit: str = ""
    """What the figures had to be."""


class Approval(Section):
    """What a person said of a version that passed the gate."""

    state: Literal["pending", "approved", "refused"]
    until: str
    """Silence after this moment refuses; UTC, ISO 8601."""
    who: str = ""
    why: str = ""
    when: str = ""
    """UTC, ISO 8601."""


class Decision(Section):
    """What the gate said, and the person after it."""

    promoted: bool
    """Whether the version became champion."""
    reason: str
    rules: tuple[Rule, ...]
    approval: Approval | None = None
    """None where nobody was to be asked."""

    def table(self) -> tuple[Rule, ...]:
        """The rules, and the person's word as the last of them."""
        if self.approval is None:
            return self.rules
        said = self.approval
        figures = "nobody answered yet" if said.state == "pending" else f"{said.who}: {said.why}"
        approved = said.state == "approved"
        limit = f"approved by a person before {said.until[:16].replace('T', ' ')} UTC"
        return (*self.rules, Rule(name="approval", passed=approved, figures=figures, limit=limit))


class RunReport(Section):
    """Everything the end of a run shows."""

    pipeline: str
    run_id: str
    """Of MLflow."""
    goal: str
    """The metric that chooses."""
    direction: Literal["maximize", "minimize"] = "maximize"
    """Which way the goal is better."""
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
