"""A search inside a fold sees nothing of what the fold holds back, however the documents are cut."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as settled
from hypothesis import strategies as st

from lslm.audit import evidence
from lslm.corpus.splitting import searched
from lslm.settings import SearchSettings, Settings
from tasks.models import Which, rows_of
from tests.corpus.test_corpus_splitting import frame


def settings(n_outer: int, n_inner: int, seed: int = 0) -> Settings:
    evaluation = {"folds": n_outer, "nested": True, "seed": seed}
    search = {"folds": n_inner, "validation": 0.3, "seed": seed}
    return Settings.model_validate({"name": "toy", "evaluation": evaluation, "search": search})


def cuts(given: Settings) -> dict[str, Which]:
    """The parts inside the folds, as the stage names them."""
    evaluation, search = given.evaluation, given.search
    return {
        str(which): which
        for number in range(evaluation.folds)
        for which in Which.for_search(
            search.inside(number), Which.for_fold(number, evaluation.folds, evaluation.seed)
        )
    }


def written(folder: Path, seed: int, timed: bool) -> pl.DataFrame:
    """Documents of two labels, half of them in groups of several; in time, a group lies all over it."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 120))
    groups = np.where(rng.random(n) < 0.5, rng.integers(0, 12, n), 12 + np.arange(n))
    times = [f"{at:03}" for at in range(n)] if timed else None
    data = frame(rng.choice(["a", "b"], n).tolist(), groups.tolist(), times, seed)
    data.write_parquet(folder / "documents.parquet")
    return data


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("n_inner", [1, 3])
@pytest.mark.parametrize("n_outer", [2, 4])
@settled(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rows_inside_a_fold_are_its_training_rows_alone_and_no_group_straddles(
    tmp_path_factory: pytest.TempPathFactory, n_outer: int, n_inner: int, timed: bool, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    data = written(folder, seed, timed)
    group, time = data["group"].to_numpy(), np.arange(data.height)
    for which in cuts(settings(n_outer, n_inner, seed)).values():
        assert which.within is not None
        training, validation = rows_of(folder / "documents.parquet", which)
        outer, held = rows_of(folder / "documents.parquet", which.within)
        seen = np.concatenate([training, validation])
        assert not np.isin(seen, held).any()
        assert not np.isin(group[seen], group[held]).any()
        assert len(np.unique(seen)) == len(seen)
        assert np.isin(seen, outer).all()
        assert not np.isin(group[training], group[validation]).any()
        if timed:
            latest = {g: time[group == g].max() for g in np.unique(group)}
            moments = [max(latest[g] for g in group[side]) for side in (training, validation)]
            assert moments[0] <= moments[1] <= max(latest[g] for g in group[held])
        elif n_inner == 1:
            assert len(seen) == len(outer)


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("n_inner", [1, 3])
@pytest.mark.parametrize("n_outer", [2, 4])
@settled(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_audit_finds_the_same_rows_and_names(
    tmp_path_factory: pytest.TempPathFactory, n_outer: int, n_inner: int, timed: bool, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    data = written(folder, seed, timed)
    wanted = settings(n_outer, n_inner, seed)
    found = evidence.rows_of(wanted, data)
    inside = cuts(wanted)
    assert list(inside) == evidence.nested_parts(wanted)
    for name, which in inside.items():
        for ours, theirs in zip(
            rows_of(folder / "documents.parquet", which), found[name], strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_trials_are_judged_on_the_folds_that_the_library_cuts(tmp_path: Path) -> None:
    search = settings(3, 3).search
    data = written(tmp_path, 0, timed=False)
    for which, sides in zip(Which.for_search(search), searched(data, search), strict=True):
        for ours, theirs in zip(rows_of(tmp_path / "documents.parquet", which), sides, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_no_two_searches_draw_the_same_trials() -> None:
    search = settings(3, 1).search
    seeds = {search.seed, *(search.inside(number).seed for number in range(3))}
    assert len(seeds) == 4
    assert search.inside(0).model_copy(update={"seed": search.seed}) == search


def test_without_a_search_there_is_nothing_to_nest() -> None:
    values = {"name": "toy", "evaluation": {"nested": True}, "search": {"n_trials": 0}}
    with pytest.raises(ValueError, match="needs search.n_trials above 0"):
        Settings.model_validate(values)


def test_what_other_searches_found_is_not_told_inside_a_fold() -> None:
    warm = settings(3, 1).search.model_copy(update={"warm_start": 3})
    assert warm.inside(0).warm_start == 0


def test_a_search_without_trials_wants_no_part() -> None:
    search = SearchSettings(n_trials=0)
    assert Which.for_search(search) == ()
    assert evidence.search_parts(search) == []
