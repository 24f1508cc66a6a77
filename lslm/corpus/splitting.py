"""Cutting the cleaned corpus: holdout, folds, and the files of each part.

Documents of one group always stay on one side. Where the time column is filled, what is held out
is the latest part and folds go forward.

A holdout's members are chosen by a seeded hash of each group's smallest fingerprint, inside each
label. When documents are added, the hashes of the old ones stay, so a document changes sides only
near the border: the holdout of tomorrow is nearly that of today and its new documents.

Where the order of the documents says something, they have a column `position`: the holdout is then the
end, and folds are blocks of neighbours.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lslm.corpus import moments
from lslm.errors import InputError
from lslm.settings import SearchSettings, Settings

Rows = NDArray[np.int64]

_SMALL = ("label", "group", "time", "part", "fingerprint")
_PLACE = "position"
"""Column of a document's number in the order of the corpus, where that order says something."""
PARTS = ("development", "holdout", "outside", "out-of-scope", "out-of-scope-holdout")
"""The files a split writes, each `NAME.parquet`."""


def cut(frame: pl.DataFrame, share: float, seed: int) -> tuple[Rows, Rows]:
    """Positions of the rest and of the held documents, each ascending.

    `frame` has the columns label, group, time and fingerprint. Each label gives its share (at least
    one document, where it has two groups); in time or in place, the latest documents are held instead.
    """
    groups = _groups(frame, seed)
    ordered = _timed(frame) or _placed(frame)
    held = _latest(groups, share) if ordered else _stratified(groups, share)
    inside = np.isin(frame["group"].to_numpy(), groups["group"].to_numpy()[held])
    return np.flatnonzero(~inside), np.flatnonzero(inside)


def folds(frame: pl.DataFrame, k: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Positions of the training and the validation documents of each of `k` folds.

    Each fold has about an equal number of each label's documents. In time, fold i trains on the
    first i + 1 of k + 1 equal spans and validates on the next. In place, fold i validates on the i-th of
    k blocks and trains on all others; a group belongs to the block of its last document.
    """
    groups = _groups(frame, seed)
    if groups.height < k:
        raise InputError(
            f"{groups.height} groups of documents for {k} folds",
            right=f"at least {k}, or fewer folds",
        )
    timed = _timed(frame)
    in_spans = timed or _placed(frame)
    block = _spans(groups, k + 1 if timed else k) if in_spans else _dealt(groups, k)
    number = np.zeros(int(groups["group"].to_numpy().max()) + 1, np.int64)
    number[groups["group"].to_numpy()] = block
    of_row = number[frame["group"].to_numpy()]
    if timed:
        spans = range(k)
        return [(np.flatnonzero(of_row <= i), np.flatnonzero(of_row == i + 1)) for i in spans]
    return [(np.flatnonzero(of_row != i), np.flatnonzero(of_row == i)) for i in range(k)]


def searched(frame: pl.DataFrame, search: SearchSettings) -> list[tuple[Rows, Rows]]:
    """Training rows and rows held back of each part that trials are judged on; none where no trial is wanted.

    Folds are others than those of the evaluation, also where both have as many and one seed. In time and in place
    there is but one way to cut as many.
    """
    if not search.n_trials:
        return []
    if search.folds == 1:
        return [cut(frame, search.validation, search.seed)]
    return folds(frame, search.folds, search.folds_seed)


def inside(rows: Rows, sides: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
    """The two sides of a cut of `frame[rows]`, as positions in the whole `frame`.

    Example:
        >>> training, held = inside(np.array([2, 5, 7]), (np.array([0, 2]), np.array([1])))
        >>> training.tolist(), held.tolist()
        ([2, 7], [5])
    """
    training, held = sides
    return rows[training], rows[held]


def thinned(frame: pl.DataFrame, rows: Rows, share: float, seed: int) -> Rows:
    """About that share of `rows`, in their order; a smaller share is a part of every larger one.

    One document of each label stays in any case.
    """
    if share >= 1.0:
        return rows
    drawn = np.random.default_rng(seed).permutation(rows)
    first = frame[drawn]["label"].is_first_distinct().to_numpy()
    order = np.concatenate([drawn[first], drawn[~first]])
    n = max(int(first.sum()), round(share * len(rows)))
    return np.sort(order[:n])


def split(
    cleaned: Path,
    settings: Settings,
    into: Path,
    *,
    needs_label: bool = True,
    blocked: bool = False,
) -> dict[str, Any]:
    """Write development, holdout and outside.parquet from a cleaned corpus into the folder `into`.

    With `blocked` the documents keep their place, and are cut by it from here on.
    Returns how the holdout was made and the documents of each part, by label. InputError where no
    holdout or folds could be made that mean anything.
    """
    small = pl.concat([pl.read_parquet(path, columns=list(_SMALL)) for path in _shards(cleaned)])
    if blocked:
        small = small.with_row_index(_PLACE)
    part, how = _parts(small, settings)
    part = _apart(small, part, settings)
    development, holdout = small.filter(part == 0), small.filter(part == 1)
    _check_counts(development, holdout, settings)
    if needs_label:
        _check_labels(development, holdout, settings)
        _check_spans(development, settings)
    else:
        _check_groups(development, settings)
    _check_held(holdout)
    _write(cleaned, part, into, blocked)
    counts = {name: _count(small.filter(part == i)) for i, name in enumerate(PARTS)}
    report = {"holdout_by": how, **counts}
    (into / "split.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
    return report


def _parts(small: pl.DataFrame, settings: Settings) -> tuple[NDArray[np.uint8], str]:
    """The index into `PARTS` of each document, and how the holdout was chosen."""
    names = small["part"].to_numpy()
    part = np.select([names == "holdout", names == "outside"], [1, 2], 0).astype(np.uint8)
    if settings.corpus.holdout:
        return part, "given"
    corpus = np.flatnonzero(part == 0)
    frame = small[corpus]
    _check_any(frame)
    _, held = cut(frame, settings.split.holdout, settings.split.seed)
    part[corpus[held]] = 1
    if _timed(frame):
        return part, "latest"
    return part, "the end" if _placed(frame) else "stratified"


def _apart(small: pl.DataFrame, part: NDArray[np.uint8], settings: Settings) -> NDArray[np.uint8]:
    """Documents of no class go to parts of their own, unless they are learned as a class."""
    label = settings.split.out_of_scope
    if label is None:
        return part
    here = (small["label"] == label).fill_null(value=False).to_numpy() & (part < 2)
    if not (here & (part == 0)).any():
        raise InputError(
            f"no document is labelled {label!r}",
            where="split.out_of_scope",
            right=f"one of: {', '.join(sorted(map(str, small['label'].drop_nulls().unique())))}",
        )
    if settings.split.train_out_of_scope:
        return part
    apart = np.where(part == 0, 3, 4).astype(np.uint8)
    return np.where(here, apart, part)


# Groups: the units that are dealt out.


def _groups(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """A row a group: size, most frequent label, latest moment, seeded hash; ordered by hash."""
    when = _order(frame)
    labelled = frame.select("label", "group", "fingerprint").with_columns(when.alias("when"))
    found = labelled.group_by("group").agg(
        pl.len().alias("size"),
        pl.col("label").drop_nulls().mode().min().alias("label"),
        pl.col("when").max(),
        pl.col("fingerprint").min(),
    )
    hashed = _seeded(found["fingerprint"].to_numpy(), seed)
    return found.with_columns(pl.Series("hash", hashed)).sort("hash", "group")


def _order(frame: pl.DataFrame) -> pl.Series:
    """What documents are ordered by: moment or place; all the same where they have neither."""
    if _timed(frame):
        return moments.ordered(frame["time"])
    return frame[_PLACE] if _placed(frame) else pl.zeros(frame.height, eager=True)


def _placed(frame: pl.DataFrame) -> bool:
    return _PLACE in frame.columns


def _seeded(fingerprints: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele et al. 2014) over fingerprint and seed."""
    mixed = fingerprints + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % (1 << 64))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _timed(frame: pl.DataFrame) -> bool:
    """Whether the time column is filled; half filled is an error."""
    missing = frame["time"].null_count()
    if 0 < missing < frame.height:
        raise InputError(
            f"{missing} of {frame.height} documents have no time", right="a time for each"
        )
    return frame.height > 0 and missing == 0


def _strata(groups: pl.DataFrame) -> Iterator[NDArray[np.int64]]:
    """Positions of the groups of each label; labels of a single group share a stratum."""
    places = groups.select(pl.col("label"), pl.int_range(pl.len()).alias("place"))
    alone: list[int] = []
    for rows in places.group_by("label", maintain_order=True).all().sort("label")["place"]:
        if len(rows) > 1:
            yield rows.to_numpy()
        else:
            alone.append(rows[0])
    if alone:
        yield np.sort(np.array(alone))


def _stratified(groups: pl.DataFrame, share: float) -> list[int]:
    sizes = groups["size"].to_numpy()
    return [place for stratum in _strata(groups) for place in _lowest(stratum, sizes, share)]


def _lowest(stratum: NDArray[np.int64], sizes: NDArray[Any], share: float) -> list[int]:
    """Groups in order of hash until the share is full; one that would overshoot more is left.

    Where each would, it is the smallest.
    """
    total = int(sizes[stratum].sum())
    target = max(1, round(share * total)) if share > 0 and len(stratum) > 1 else 0
    taken, held = 0, []
    for place in stratum:
        size = int(sizes[place])
        overshoot, short = taken + size - target, target - taken
        if short > 0 and overshoot <= short and taken + size < total:
            held.append(int(place))
            taken += size
    if target and not held:
        return [int(min(stratum, key=sizes.__getitem__))]
    return held


def _latest(groups: pl.DataFrame, share: float) -> NDArray[np.int64]:
    backwards = _by_time(groups)[::-1]
    sizes = groups["size"].to_numpy()[backwards]
    before = np.cumsum(sizes) - sizes
    target = max(1, round(share * sizes.sum())) if share > 0 and len(sizes) > 1 else 0
    return backwards[before < target]


def _spans(groups: pl.DataFrame, count: int) -> NDArray[np.int64]:
    """The span of time of each group, of `count` with about equally many documents."""
    order = _by_time(groups)
    sizes = groups["size"].to_numpy()[order]
    middle = np.cumsum(sizes) - sizes / 2
    block = np.empty(len(order), np.int64)
    block[order] = np.minimum(middle * count // sizes.sum(), count - 1).astype(np.int64)
    return block


def _by_time(groups: pl.DataFrame) -> NDArray[np.int64]:
    return np.argsort(groups["when"].to_numpy(), kind="stable")


def _dealt(groups: pl.DataFrame, k: int) -> NDArray[np.int64]:
    """The fold of each group: the largest first, to the fold with fewest of its label so far."""
    sizes = groups["size"].to_numpy()
    block = np.zeros(len(sizes), np.int64)
    total = [0] * k
    for stratum in _strata(groups):
        own = [0] * k
        for place in stratum[np.argsort(-sizes[stratum].astype(np.int64), kind="stable")]:
            fold = min(range(k), key=lambda i: (own[i], total[i]))
            block[place] = fold
            own[fold] += int(sizes[place])
            total[fold] += int(sizes[place])
    return block


# What must hold before anything is learned.


def _check_any(development: pl.DataFrame) -> None:
    if development.height == 0:
        raise InputError(
            "no documents are left to learn from; the cleaning report says why they were rejected",
            where="corpus.sources",
            right="at least one",
        )


def _check_counts(development: pl.DataFrame, holdout: pl.DataFrame, settings: Settings) -> None:
    _check_any(development)
    if settings.corpus.holdout and holdout.height == 0:
        raise InputError(
            "no documents are left of the given holdout",
            where="corpus.holdout",
            right="at least one",
        )


def _check_held(holdout: pl.DataFrame) -> None:
    if holdout.height == 0:
        raise InputError(
            "no document is held out, so that nothing would be scored in the end",
            where="split.holdout",
            right="a share above 0, or a corpus.holdout",
        )


def _check_groups(development: pl.DataFrame, settings: Settings) -> None:
    """Where labels are read, they are counted one by one instead."""
    apart, k = development["group"].n_unique(), settings.evaluation.folds
    needed = k + 1 if _timed(development) else k
    if apart < needed:
        name = "documents" if apart == development.height else "groups of documents"
        raise InputError(
            f"{name} beside the holdout: {apart}, too few for {k} folds",
            where="corpus.sources",
            right=f"at least {needed}, or a smaller evaluation.folds",
        )


def _check_labels(development: pl.DataFrame, holdout: pl.DataFrame, settings: Settings) -> None:
    whole = development if settings.corpus.holdout else pl.concat([development, holdout])
    counts = dict(_by_label(whole))
    if len(counts) < 2:
        name, n = next(iter(counts.items()), ("none", 0))
        raise InputError(
            f"only one label, '{name}' ({n} documents)", where="corpus", right="two or more labels"
        )
    unseen = dict(_by_label(holdout)).keys() - dict(_by_label(development)).keys()
    if unseen:
        name = min(unseen)
        n = dict(_by_label(holdout))[name]
        raise InputError(
            f"the holdout has {n} documents of label '{name}', which development never has",
            where="corpus.holdout",
            right=f"one of: {', '.join(sorted(counts))}",
        )
    needed = settings.evaluation.folds + (0 if settings.corpus.holdout else 1)
    for name, n in sorted(counts.items(), key=lambda pair: pair[1]):
        apart = whole.filter(pl.col("label") == name)["group"].n_unique()
        if apart < needed:
            what = f"label '{name}' has {n} documents in {apart} groups, too few for the folds"
            right = f"at least {needed} groups for each label, or a smaller evaluation.folds"
            raise InputError(what, where="corpus", right=right)


def _check_spans(development: pl.DataFrame, settings: Settings) -> None:
    """In time, who is asked for a label has to have learned it from what lies before."""
    if not _timed(development):
        return
    labels = development["label"].to_numpy()
    for who, where, (training, validation) in _forward(development, settings):
        unknown = np.setdiff1d(labels[validation], labels[training])
        if len(unknown):
            name = str(unknown[0])
            first = development[validation].filter(pl.col("label") == name)
            time = first["time"][_order(first).arg_min() or 0]
            raise InputError(
                f"label '{name}' first occurs at {time}, in {where}: {who} would not have learned it",
                where="corpus.time",
                right="each label from the first span on, fewer evaluation.folds, or no corpus.time",
            )


def _forward(
    development: pl.DataFrame, settings: Settings
) -> Iterator[tuple[str, str, tuple[Rows, Rows]]]:
    """Who learns in time, what it is asked for, and the rows that it learns from and is asked for."""
    evaluation, search = settings.evaluation, settings.search
    cuts = folds(development, evaluation.folds, evaluation.seed)
    for number, sides in enumerate(cuts, start=1):
        yield f"fold {number}", f"span {number + 1} of {len(cuts) + 1}", sides
    for sides in searched(development, search):
        yield "the search", "what it chooses by", sides
    for number, (training, _) in enumerate(cuts if evaluation.nested else (), start=1):
        for sides in searched(development[training], search):
            yield f"the search in fold {number}", "what it chooses by", inside(training, sides)


def _by_label(frame: pl.DataFrame) -> Iterator[tuple[str, int]]:
    for name, n in frame["label"].drop_nulls().value_counts().iter_rows():
        yield str(name), int(n)


def _count(frame: pl.DataFrame) -> dict[str, Any]:
    return {"documents": frame.height, "labels": dict(sorted(_by_label(frame)))}


# Writing, a shard at a time.


def _write(cleaned: Path, part: NDArray[np.uint8], into: Path, blocked: bool) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    into.mkdir(parents=True, exist_ok=True)
    shards = _shards(cleaned)
    schema = pq.read_schema(shards[0])
    if blocked:
        schema = schema.append(pa.field(_PLACE, pa.int64()))
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                pq.ParquetWriter(into / f"{name}.parquet", schema, compression="zstd")
            )
            for name in PARTS
        ]
        start = 0
        for path in shards:
            table = pq.read_table(path, use_threads=False, partitioning=None)
            here = part[start : start + table.num_rows]
            if blocked:
                places = pa.array(np.arange(start, start + table.num_rows))
                table = table.append_column(_PLACE, places)
            for index, writer in enumerate(writers):
                chosen = table.filter(pa.array(here == index))
                if chosen.num_rows:
                    writer.write_table(chosen)
            start += table.num_rows
            pa.default_memory_pool().release_unused()


def _shards(cleaned: Path) -> list[Path]:
    found = sorted((cleaned / "documents").glob("part-*.parquet"))
    if not found:
        raise InputError(
            "no documents are left; the cleaning report says why they were rejected",
            where="corpus.sources",
            right="at least one",
        )
    return found
