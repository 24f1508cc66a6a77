"""Which way is better."""

from lslm.heads.contract import Goal


def gain(goal: Goal, difference: float) -> float:
    """A difference of the goal's metric, positive where it is for the better.

    Example:
        >>> gain(Goal("log_loss", "minimize"), -0.25)
        0.25
    """
    return difference if goal.direction == "maximize" else -difference
