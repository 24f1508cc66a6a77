"""The rules of the gate, as a version keeps them among its tags."""

import json
from collections.abc import Sequence

from lslm.evaluation.report import Rule
from lslm.tracking.store import Store
from lslm.tracking.versions import RULES, find


def as_tags(rules: Sequence[Rule]) -> dict[str, str]:
    """The tags that keep them."""
    content = [rule.model_dump() for rule in rules]
    return {RULES: json.dumps(content, ensure_ascii=False)}


def kept(store: Store, name: str, version: str) -> tuple[Rule, ...]:
    """The rules that a version keeps; none where it was not judged yet."""
    found = json.loads(find(store, name, version).tags.get(RULES, "[]"))
    return tuple(Rule.model_validate(each) for each in found)
