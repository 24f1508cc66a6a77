"""What a model may cost where it is served: bounds of a search that has more goals than quality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lslm.settings import SearchSettings

MEASURES = ("size_mb", "latency_ms")
"""Of a served model, whichever is bounded."""


@dataclass(frozen=True)
class Bound:
    """One measure of a served model, less of which is better, and the most that is allowed."""

    measure: str
    """`size_mb`: the model folder, in millions of bytes. `latency_ms`: median of one document, alone."""
    most: float

    def excess(self, measured: Mapping[str, Any]) -> float:
        """By how much the measure is over the bound, as a share of it; 0 or less where it is not.

        Example:
            >>> Bound("size_mb", 2.0).excess({"size_mb": 3.0})
            0.5
        """
        return measured[self.measure] / self.most - 1


def kept(bounds: Sequence[Bound], measured: Mapping[str, Any]) -> bool:
    """Whether every bound is kept.

    Example:
        >>> kept([Bound("size_mb", 2.0)], {"size_mb": 2.0}), kept([], {})
        (True, True)
    """
    return all(bound.excess(measured) <= 0 for bound in bounds)


def measured(attributes: Mapping[str, Any]) -> dict[str, float | None]:
    """The measures among a trial's attributes."""
    return {name: attributes.get(name) for name in MEASURES}


def of(settings: SearchSettings) -> tuple[Bound, ...]:
    """The bounds that the settings name; none makes a search for quality alone."""
    given = {"size_mb": settings.max_size_mb, "latency_ms": settings.max_latency_ms}
    return tuple(Bound(name, most) for name, most in given.items() if most is not None)
