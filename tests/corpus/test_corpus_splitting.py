import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lslm.cleaning.chain import clean
from lslm.corpus.splitting import cut, folds, searched, split, thinned
from lslm.errors import InputError
from lslm.settings import (
    CleaningSettings,
    CorpusSettings,
    EvaluationSettings,
    SearchSettings,
    Settings,
    Source,
    SplitSettings,
)


def frame(labels, groups=None, times=None, seed=0) -> pl.DataFrame:
    n = len(labels)
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "label": pl.Series(labels, dtype=pl.String),
            "group": pl.Series(list(range(n)) if groups is None else groups, dtype=pl.Int64),
            "time": pl.Series([None] * n if times is None else times, dtype=pl.String),
            "fingerprint": pl.Series(rng.integers(0, 2**63, n, dtype=np.uint64), dtype=pl.UInt64),
        }
    )


rows = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 12)), min_size=12, max_size=60
)


@given(rows, st.sampled_from([0.0, 0.1, 0.3, 0.5]), st.integers(0, 5))
def test_a_group_never_straddles_a_cut(rows, share, seed):
    data = frame([label for label, _ in rows], [group for _, group in rows])
    rest, held = cut(data, share, seed)
    groups = data["group"].to_numpy()
    assert not set(groups[rest]) & set(groups[held])
    assert sorted([*rest, *held]) == list(range(len(rows)))
    assert len(rest) > 0


@given(rows, st.integers(2, 4), st.booleans())
def test_a_group_never_straddles_a_fold(rows, k, timed):
    n = len(rows)
    data = frame(
        [label for label, _ in rows],
        [group % 6 + i % 2 * 6 for i, (_, group) in enumerate(rows)] if n > k * 6 else None,
        [str(i) for i in range(n)] if timed else None,
    )
    if data["group"].n_unique() < k:
        return
    groups = data["group"].to_numpy()
    for training, validation in folds(data, k, 0):
        assert not set(groups[training]) & set(groups[validation])


def test_a_smaller_share_is_part_of_a_larger_one_and_keeps_every_label():
    data = frame(["a"] * 40 + ["b"] * 39 + ["c"])
    taken = np.arange(0, 80, 1)
    small, large = (thinned(data, taken, share, seed=1) for share in (0.1, 0.5))
    assert (len(small), len(large)) == (8, 40)
    assert set(small) <= set(large)
    assert set(data["label"].to_numpy()[small]) == {"a", "b", "c"}
    assert thinned(data, taken, 1.0, seed=1) is taken


def test_folds_partition_the_documents_and_balance_the_labels():
    data = frame(["a"] * 50 + ["b"] * 23)
    parts = [validation for _, validation in folds(data, 5, 0)]
    assert sorted(np.concatenate(parts)) == list(range(73))
    labels = data["label"].to_numpy()
    assert {(labels[part] == "a").sum() for part in parts} == {10}
    assert {(labels[part] == "b").sum() for part in parts} <= {4, 5}


@pytest.mark.parametrize("seed", range(4))
def test_a_search_has_other_folds_than_any_evaluation(seed):
    data = frame(["a"] * 50 + ["b"] * 23)
    ours = {held.tobytes() for _, held in searched(data, SearchSettings(folds=5, seed=seed))}
    assert len(ours) == 5
    for other in range(20):
        assert not ours & {held.tobytes() for _, held in folds(data, 5, other)}


def test_in_time_there_is_but_one_way_to_cut_as_many_folds():
    data = frame(["a", "b"] * 20, times=[f"{day:02}" for day in range(40)])
    cuts = searched(data, SearchSettings(folds=3)), folds(data, 3, 0)
    for ours, theirs in zip(*cuts, strict=True):
        for side, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(side, other)


def test_the_holdout_is_stratified_and_seeded():
    data = frame(["a"] * 900 + ["b"] * 100)
    _, held = cut(data, 0.1, 0)
    assert data["label"].to_numpy()[held].tolist().count("a") == 90
    assert len(held) == 100
    assert np.array_equal(held, cut(data, 0.1, 0)[1])
    assert not np.array_equal(held, cut(data, 0.1, 1)[1])


def test_the_holdout_stays_nearly_the_same_when_the_corpus_grows():
    grown = frame(["a", "b"] * 1100)
    before = grown[:2000]
    old, new = set(cut(before, 0.1, 0)[1]), set(cut(grown, 0.1, 0)[1])
    kept = len(old & {row for row in new if row < 2000}) / len(old)
    assert kept > 0.9


def test_the_holdout_does_not_depend_on_the_order_of_the_documents():
    data = frame(["a", "b"] * 100)
    turned = data.reverse()
    chosen = set(data["fingerprint"].to_numpy()[cut(data, 0.2, 0)[1]])
    assert chosen == set(turned["fingerprint"].to_numpy()[cut(turned, 0.2, 0)[1]])


def test_in_time_the_latest_documents_are_held_and_folds_go_forward():
    times = [f"2024-{month:02}-{day:02}" for month in range(1, 11) for day in range(1, 11)]
    data = frame(["a", "b"] * 50, times=times)
    _, held = cut(data, 0.1, 0)
    assert held.tolist() == list(range(90, 100))
    for training, validation in folds(data, 4, 0):
        assert training.max() < validation.min()


def test_numbers_sort_as_numbers_and_mixed_times_are_refused():
    data = frame(["a"] * 4, times=["9", "10", "2", "1"])
    assert cut(data, 0.25, 0)[1].tolist() == [1]
    with pytest.raises(InputError, match="time '3/4/20' does not sort"):
        cut(frame(["a"] * 2, times=["2024-01-01", "3/4/20"]), 0.5, 0)
    with pytest.raises(InputError, match="1 of 2 documents have no time"):
        cut(frame(["a"] * 2, times=["2024-01-01", None]), 0.5, 0)


def test_of_few_large_groups_the_smallest_is_held():
    data = frame(["a"] * 90 + ["b"] * 2, [0] * 50 + [1] * 40 + [2, 3])
    _, held = cut(data, 0.1, 0)
    assert data["group"].to_numpy()[held[:-1]].tolist() == [1] * 40
    assert held[-1] >= 90


def settings(tmp_path, rows: list[tuple[str, str]], **corpus: object) -> Settings:
    lines = [f"{text},{label}" for text, label in rows]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]))
    return Settings(
        name="toy",
        corpus=CorpusSettings.model_validate({"sources": (Source(path="a.csv"),), **corpus}),
        evaluation=EvaluationSettings(folds=2),
    )


def run(tmp_path, made: Settings, needs_label: bool = True):
    clean(made, tmp_path, tmp_path / "cleaned", needs_label=needs_label)
    return split(tmp_path / "cleaned", made, tmp_path / "parts", needs_label=needs_label)


MANY = [(f"word{i} w{i * 7} v{i * 3}", "ab"[i % 2]) for i in range(40)]


def test_split_writes_the_three_parts_and_counts_them(tmp_path):
    (tmp_path / "o.txt").write_text("free text one\nfree text two\n")
    report = run(
        tmp_path, settings(tmp_path, MANY, outside=(Source(path="o.txt", format="lines"),))
    )
    assert report["development"] == {"documents": 36, "labels": {"a": 18, "b": 18}}
    assert report["holdout"] == {"documents": 4, "labels": {"a": 2, "b": 2}}
    assert report["outside"] == {"documents": 2, "labels": {}}
    for name in ("development", "holdout", "outside"):
        written = pl.read_parquet(tmp_path / "parts" / f"{name}.parquet")
        assert written.height == report[name]["documents"]
        assert written.schema["group"] == pl.Int64
        assert written.schema["fingerprint"] == pl.UInt64


def test_a_given_holdout_is_the_holdout(tmp_path):
    (tmp_path / "h.csv").write_text("text,label\nunseen words here,a\n")
    report = run(tmp_path, settings(tmp_path, MANY, holdout=(Source(path="h.csv"),)))
    assert report["holdout_by"] == "given"
    assert report["holdout"]["documents"] == 1
    assert report["development"]["documents"] == 40


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(text, "a") for text, _ in MANY], "only one label, 'a' \\(40 documents\\)"),
        ([*MANY, ("rare bird", "c")], "label 'c' has 1 documents .* expected at least 3"),
        ([("", "a")], "no documents are left"),
    ],
)
def test_a_corpus_that_cannot_be_learned_from_is_refused(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path, settings(tmp_path, rows))


def test_a_holdout_label_that_development_never_has_is_refused(tmp_path):
    (tmp_path / "h.csv").write_text("text,label\nunseen words here,z\n")
    with pytest.raises(InputError, match="1 documents of label 'z'.*expected one of: a, b"):
        run(tmp_path, settings(tmp_path, MANY, holdout=(Source(path="h.csv"),)))


def test_without_labels_no_label_is_asked_for(tmp_path):
    report = run(tmp_path, settings(tmp_path, MANY), needs_label=False)
    assert report["development"] == {"documents": 36, "labels": {}}


def test_a_holdout_of_nothing_is_refused_unless_one_is_given(tmp_path):
    (tmp_path / "h.csv").write_text("text,label\nunseen words here,a\n")
    nothing = {"split": SplitSettings(holdout=0)}
    given = settings(tmp_path, MANY, holdout=(Source(path="h.csv"),)).model_copy(update=nothing)
    clean(given, tmp_path, tmp_path / "with")
    assert split(tmp_path / "with", given, tmp_path / "parts")["holdout"]["documents"] == 1
    with pytest.raises(InputError, match="split.holdout: no document is held out"):
        run(tmp_path, settings(tmp_path, MANY).model_copy(update=nothing))


@pytest.mark.parametrize(
    ("late", "changes", "said"),
    [
        (20, {}, "label 'c' first occurs at 21, in span 2 of 3: fold 1 would not have learned it"),
        (34, {}, "label 'c' first occurs at 35, in span 3 of 3: fold 2 would not have learned it"),
        (10, {"folds": 4}, "first occurs at 11, in span 2 of 5: fold 1 would not"),
        (11, {"nested": True}, "at 11, in what it chooses by: the search in fold 1 would not"),
    ],
)
def test_a_label_that_comes_too_late_for_the_folds_is_refused(tmp_path, late, changes, said):
    rows = [(text, "c" if i >= late and i % 2 else label) for i, (text, label) in enumerate(MANY)]
    lines = [f"{text},{label},{i}" for i, (text, label) in enumerate(rows)]
    (tmp_path / "t.csv").write_text("\n".join(["text,label,day", *lines]))
    made = Settings(
        name="toy",
        corpus=CorpusSettings(sources=(Source(path="t.csv"),), time="day"),
        evaluation=EvaluationSettings(**{"folds": 2, **changes}),
    )
    with pytest.raises(InputError, match=f"^corpus.time: .*{said}.*; expected each label"):
        run(tmp_path, made)


def test_in_place_folds_are_blocks_and_the_holdout_is_the_end():
    data = frame(["a"] * 30).with_columns(position=pl.int_range(30))
    blocks = [validation.tolist() for _, validation in folds(data, 3, 0)]
    assert blocks == [list(range(10)), list(range(10, 20)), list(range(20, 30))]
    for training, validation in folds(data, 3, 0):
        assert sorted([*training, *validation]) == list(range(30))
    rest, held = cut(data, 0.2, 0)
    assert (rest.tolist(), held.tolist()) == (list(range(24)), list(range(24, 30)))


@given(rows, st.integers(2, 4))
def test_near_duplicates_stay_together_in_blocks_too(rows, k):
    data = frame(["a"] * len(rows), [group for _, group in rows])
    data = data.with_columns(position=pl.int_range(len(rows)))
    if data["group"].n_unique() < k:
        return
    groups = data["group"].to_numpy()
    for training, validation in [*folds(data, k, 0), cut(data, 0.3, 0)]:
        assert not set(groups[training]) & set(groups[validation])


def blocked(tmp_path, n):
    """The report of a split of so many lines in place, for two folds."""
    lines = [f"document number {n * 7919} of the long row" for n in range(n)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    settings = Settings(
        name="mine",
        corpus=CorpusSettings(sources=(Source(path="a.txt", format="lines"),)),
        cleaning=CleaningSettings(near_duplicates=None),
        evaluation=EvaluationSettings(folds=2),
    )
    clean(settings, tmp_path, tmp_path / "cleaned", needs_label=False)
    return split(tmp_path / "cleaned", settings, tmp_path, needs_label=False, blocked=True)


def test_a_blocked_split_writes_the_place_of_each_document(tmp_path):
    report = blocked(tmp_path, 40)
    lines = (tmp_path / "a.txt").read_text().splitlines()
    parts = [pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("development", "holdout")]
    assert [part["position"].to_list() for part in parts] == [[*range(36)], [*range(36, 40)]]
    assert parts[1]["text"].to_list() == lines[36:]
    assert report["holdout_by"] == "the end"


@pytest.mark.parametrize("n", [1, 2])
def test_documents_in_place_that_are_too_few_for_the_folds_are_refused(tmp_path, n):
    with pytest.raises(InputError, match="documents beside the holdout: 1, too few for 2 folds"):
        blocked(tmp_path, n)


def test_the_end_of_a_few_documents_is_one_of_them(tmp_path):
    report = blocked(tmp_path, 4)
    assert [report[part]["documents"] for part in ("development", "holdout")] == [3, 1]
