"""How much room the model takes."""

from lslm.evaluation.report import Rule
from lslm.settings import GateSettings


def budget(n_bytes: int, settings: GateSettings) -> Rule:
    """The model folder fits into the budget."""
    most, found = settings.max_size_mb, n_bytes / 1e6
    return Rule(
        name="is small enough",
        passed=most is None or found <= most,
        figures=f"{found:.2f} MB",
        limit="none" if most is None else f"{most:g} MB or less",
    )
