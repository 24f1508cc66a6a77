import pytest

from lslm.search import bounds
from lslm.settings import SearchSettings


def test_only_what_is_bounded_has_a_bound() -> None:
    found = bounds.of(SearchSettings(max_size_mb=2.0, max_latency_ms=None))
    assert [(each.measure, each.most) for each in found] == [("size_mb", 2.0)]


def test_one_measure_over_its_bound_is_enough() -> None:
    both = bounds.of(SearchSettings(max_size_mb=2.0, max_latency_ms=1.0))
    assert bounds.kept(both, {"size_mb": 2.0, "latency_ms": 1.0})
    assert not bounds.kept(both, {"size_mb": 1.0, "latency_ms": 1.01})


@pytest.mark.parametrize(
    ("given", "megabytes"), [("2MB", 2.0), ("500KB", 0.5), ("1.5 GB", 1500.0), ("3", 3.0), (4, 4.0)]
)
def test_sizes_are_read_with_their_unit(given: object, megabytes: float) -> None:
    assert SearchSettings.model_validate({"max_size_mb": given}).max_size_mb == megabytes


@pytest.mark.parametrize(("given", "ms"), [("1ms", 1.0), ("500us", 0.5), ("2s", 2000.0), (3, 3.0)])
def test_times_are_read_with_their_unit(given: object, ms: float) -> None:
    assert SearchSettings.model_validate({"max_latency_ms": given}).max_latency_ms == ms


@pytest.mark.parametrize("given", ["big", "-1MB", "0MB", "2TB", "1 2MB"])
def test_what_is_no_size_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="max_size_mb"):
        SearchSettings.model_validate({"max_size_mb": given})


def test_a_bound_without_a_search_is_refused() -> None:
    with pytest.raises(ValueError, match="n_trials of 1 or more"):
        SearchSettings(n_trials=0, max_size_mb=2.0)
