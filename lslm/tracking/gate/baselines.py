"""The floor: a network that is not above every baseline is not worth its trouble."""

from lslm.evaluation.report import Rule, Scores
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Goal
from lslm.settings import GateSettings
from lslm.tracking.gate.direction import gain


def floor(goal: Goal, scores: Scores, system: str, settings: GateSettings) -> Rule:
    """The score on the holdout of `system`, the challenger, is better than every other's."""
    metric = goal.metric
    name = "beats every baseline" if system == NETWORK else f"{system} beats every other system"
    values = {
        name: each[metric].value
        for name, each in scores.systems.items()
        if name not in scores.ceilings
    }
    ours = values.pop(system)
    wanted = settings.must_beat_baselines
    limit = "better than each" if wanted else "none"
    if not values:
        return Rule(name=name, passed=not wanted, figures="no baseline was scored", limit=limit)
    told = ", ".join(f"{value:.4f} of {system}" for system, value in values.items())
    return Rule(
        name=name,
        passed=not wanted or all(gain(goal, ours - value) > 0 for value in values.values()),
        figures=f"{metric} {ours:.4f} against {told}",
        limit=limit,
    )
