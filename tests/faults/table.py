"""The table of points: where a fault struck, how the run ended, what the same command came to after it."""

from dataclasses import dataclass


@dataclass
class Point:
    """One fault."""

    where: str
    """The call that it struck."""
    what: str
    ended: str
    resumed: str = ""
    """What was wrong after the same command again; `well` where nothing was."""


POINTS: list[Point] = []
"""Of all tests of the session, in order."""

_WIDTH = 72


def lines() -> list[str]:
    """The table, one point a line."""
    head = f"{'':>4} {'what':<17} {'where':<{_WIDTH}} {'ended':<10} resumed"
    return [
        head,
        *(
            f"{number:>4} {point.what:<17} {_short(point.where):<{_WIDTH}} {point.ended:<10} "
            f"{point.resumed}"
            for number, point in enumerate(POINTS, start=1)
        ),
    ]


def _short(where: str) -> str:
    """The end of a long path says more than its middle.

    Example:
        >>> len(_short("write " + "a" * 100))
        72
    """
    if len(where) <= _WIDTH:
        return where
    half = _WIDTH // 2
    return f"{where[: half - 1]}…{where[-(_WIDTH - half) :]}"
