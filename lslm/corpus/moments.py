"""Dates and numbers as values that sort."""

from datetime import UTC, datetime

import polars as pl

from lslm.errors import InputError


def ordered(times: pl.Series) -> pl.Series:
    """Numbers for texts that are all numbers, or all ISO 8601 dates (with or without a time).

    Example:
        >>> ordered(pl.Series(["9", "10"])).to_list()
        [9.0, 10.0]
    """
    numbers = times.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0 and numbers.is_finite().all():
        return numbers
    dates = times.map_elements(_seconds, return_dtype=pl.Float64)
    if dates.null_count() == 0:
        return dates
    wrong = times.filter(dates.is_null())[0]
    raise InputError(
        f"time '{wrong}' does not sort",
        where="corpus.time",
        right="numbers, or dates as 2024-01-31",
    )


def _seconds(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
