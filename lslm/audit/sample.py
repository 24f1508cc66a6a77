"""A small copy of a pipeline's raw data, in which words can be planted."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from lslm.corpus import reading
from lslm.corpus.records import Record
from lslm.settings import CorpusSettings, Settings, Source

_SCHEMA = {
    "text": pl.String,
    "label": pl.String,
    "group": pl.String,
    "time": pl.String,
    "part": pl.String,
}
_PARTS = ("corpus", "holdout", "outside")


def drawn(settings: Settings, base: Path, most: int, *, needs_label: bool) -> pl.DataFrame:
    """At most `most` raw documents of each part, all labels as equally often as there are enough.

    Which ones depends on where they stand, not on chance. The data is read twice, so that only the
    drawn texts are ever held.
    """
    places = {place for place, _ in _chosen(settings, base, most, needs_label)}
    rows = [
        (record.text, record.label, record.group, record.time, record.part)
        for place, record in enumerate(_usable(settings, base, needs_label))
        if place in places
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def written(sample: pl.DataFrame, settings: Settings, into: Path) -> Settings:
    """The settings of the same pipeline on a sample, which is written into the folder `into`."""
    into.mkdir()
    sources: dict[str, tuple[Source, ...]] = {}
    for part in _PARTS:
        frame = sample.filter(pl.col("part") == part).drop("part")
        if frame.height:
            frame.write_parquet(into / f"{part}.parquet")
            sources[part] = (Source(path=f"{part}.parquet", format="parquet"),)
    corpus = CorpusSettings(
        sources=sources.get("corpus", ()),
        holdout=sources.get("holdout", ()),
        outside=sources.get("outside", ()),
        group="group" if settings.corpus.group else None,
        time="time" if settings.corpus.time else None,
    )
    return settings.model_copy(update={"corpus": corpus})


def _chosen(
    settings: Settings, base: Path, most: int, needs_label: bool
) -> Iterator[tuple[int, str]]:
    """Places of the drawn documents: of each label the first by hash, then the second, and so on."""
    small = pl.DataFrame(
        [
            (place, record.part, record.label, _hash(record))
            for place, record in enumerate(_usable(settings, base, needs_label))
        ],
        schema={"place": pl.Int64, "part": pl.String, "label": pl.String, "hash": pl.UInt64},
        orient="row",
    ).sort("hash", "place")
    turn = pl.int_range(pl.len()).over("part", "label").alias("turn")
    dealt = small.with_columns(turn).sort("turn", "hash", "place")
    for _, frame in dealt.group_by("part", maintain_order=True):
        yield from frame.head(most).select("place", "part").iter_rows()


def _usable(settings: Settings, base: Path, needs_label: bool) -> Iterator[Record]:
    """Records that cleaning might keep."""
    for record in reading.read(settings.corpus, base, needs_label=needs_label):
        if not isinstance(record, Record) or not record.text or not record.text.strip():
            continue
        if record.label is not None or record.part == "outside" or not needs_label:
            yield record


def _hash(record: Record) -> int:
    where = f"{record.source}:{record.row}".encode()
    return int.from_bytes(hashlib.blake2b(where, digest_size=8).digest(), "little")
