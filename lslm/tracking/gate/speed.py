"""Whether an answer comes in time."""

from lslm.evaluation.report import Rule
from lslm.serving.latency import Latency
from lslm.settings import GateSettings


def budget(latency: Latency, settings: GateSettings) -> Rule:
    """The median answer comes within the budget."""
    most = settings.max_latency_ms
    return Rule(
        name="answers in time",
        passed=most is None or latency.median <= most,
        figures=f"median {latency.median:.2f} ms, 95% within {latency.p95:.2f} ms, "
        f"one document at a time, n = {latency.n}",
        limit="none" if most is None else f"median {most:g} ms or less",
    )
