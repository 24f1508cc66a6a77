"""How long nested cross-validation is going to take, from what the pipeline's stages took before."""

from collections.abc import Mapping, Sequence

from lslm.settings import Settings


def told(settings: Settings, took: Mapping[str, float]) -> str:
    """What is said before it starts; `took` has the seconds of each stage when it last ran.

    Example:
        >>> settings = Settings(name="a")
        >>> told(settings, {"search": 600.0, "cross-validate": 120.0})
        'nested: 5 more searches and the fits of what they choose, about 42 min'
        >>> told(settings, {})
        'nested: 5 more searches and the fits of what they choose, for a time that the first search will tell'
    """
    n_folds = settings.evaluation.folds
    what = f"nested: {n_folds} more searches and the fits of what they choose"
    if "search" not in took:
        return f"{what}, for a time that the first search will tell"
    seconds = expected_seconds(
        took["search"],
        took.get("cross-validate", 0.0),
        settings.fold_shares,
        settings.search.budget,
    )
    return f"{what}, about {_minutes(seconds)}"


def expected_seconds(
    search: float, fits: float, shares: Sequence[float], budget: float | None = None
) -> float:
    """Seconds of a search inside each outer fold, and of one more round of `fits` on the folds.

    `search` is what the pipeline's own search took, on all documents; the one inside a fold sees that share of
    them. A search that the clock ended takes as long on fewer. `fits` is what the cross-validation took, with
    its baselines, which are not fitted again.

    Example:
        >>> expected_seconds(600.0, 120.0, [0.8] * 5)
        2520.0
        >>> expected_seconds(600.0, 120.0, [0.8] * 5, budget=600.0)
        3120.0
    """
    by_clock = budget is not None and search >= budget
    return sum(search * (1.0 if by_clock else share) for share in shares) + fits


def _minutes(seconds: float) -> str:
    """Whole minutes, at least one: an estimate has no more digits.

    Example:
        >>> _minutes(20), _minutes(2520), _minutes(30_000)
        ('1 min', '42 min', '8 h 20 min')
    """
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
