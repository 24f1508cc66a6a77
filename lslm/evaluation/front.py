"""The front of a bounded search: trials that no other beats in every respect."""

from typing import Any

UNITS = {"size_mb": "MB", "latency_ms": "ms"}
"""Of each measure of a served model that can be bounded."""


def front_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a trial on the front, the best first: number, value, what its model measured, whether it was chosen.

    Empty where nothing was bounded. `found` is the summary of a search.
    """
    trials = {trial["trial"]: trial for trial in found.get("trials", ())}
    return [
        {
            "trial": number,
            "value": trials[number]["value"],
            **{name: trials[number][name] for name in UNITS},
            "chosen": place == 0,
        }
        for place, number in enumerate(found.get("front", ()))
    ]


def bounds_told(found: dict[str, Any]) -> str:
    """The bounds in words.

    Example:
        >>> bounds_told({"bounds": {"size_mb": 2.0, "latency_ms": 1.0}})
        '2 MB and 1 ms'
    """
    return " and ".join(f"{most:g} {UNITS[name]}" for name, most in found.get("bounds", {}).items())
