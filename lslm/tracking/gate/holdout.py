"""How worn the holdout is: each use lets the next choice fit it a little more."""

from lslm.evaluation.report import Rule
from lslm.settings import GateSettings


def uses(n_uses: int, settings: GateSettings) -> Rule:
    """The holdout was not scored by too many runs."""
    most = settings.max_holdout_uses
    passed = most is None or n_uses <= most
    times = "once" if n_uses == 1 else f"{n_uses} times"
    mend = "" if passed else "; it needs a fresh one: another split.seed, or corpus.holdout"
    return Rule(
        name="holdout is fresh",
        passed=passed,
        figures=f"used {times}, this run included{mend}",
        limit="none" if most is None else f"{most} uses or fewer",
    )
