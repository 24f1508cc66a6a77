"""The decision: every rule asked, and one sentence that names those that fail."""

from collections.abc import Callable

from lslm.evaluation.report import Decision, Rule
from lslm.settings import GateSettings
from lslm.tracking.gate import baselines, holdout, opponent, size, slices, speed
from lslm.tracking.gate.evidence import Evidence

RULES: tuple[Callable[[Evidence, GateSettings], Rule], ...] = (
    lambda seen, settings: baselines.floor(seen.goal, seen.scores, seen.system, settings),
    lambda seen, settings: opponent.significance(seen.goal, seen.champion, settings),
    lambda seen, settings: opponent.effect(seen.goal, seen.champion, settings),
    lambda seen, settings: slices.worst(seen.goal, seen.slices, seen.champion, settings),
    lambda seen, settings: speed.budget(seen.latency, settings),
    lambda seen, settings: size.budget(seen.n_bytes, settings),
    lambda seen, settings: holdout.uses(seen.holdout_uses, settings),
)
"""In the order of the table."""


def decide(seen: Evidence, settings: GateSettings) -> Decision:
    """Ask every rule."""
    return judged(tuple(rule(seen, settings) for rule in RULES))


def judged(rules: tuple[Rule, ...]) -> Decision:
    """Promote if every rule passes."""
    failed = [f"{rule.name} ({rule.figures}; wanted: {rule.limit})" for rule in _failed(rules)]
    told = [rule for rule in rules[:2] if rule.limit != "none"]
    passed = f"promoted: {'; '.join(f'{rule.name} ({rule.figures})' for rule in told)}"
    reason = f"not promoted, failed: {'; '.join(failed)}" if failed else passed
    return Decision(promoted=not failed, reason=reason, rules=rules)


def _failed(rules: tuple[Rule, ...]) -> list[Rule]:
    return [rule for rule in rules if not rule.passed]
