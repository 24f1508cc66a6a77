"""What it takes to make a corpus: cleaning, cutting and tokenizing the documents of a sample."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from lslm import heads
from lslm.cleaning import chain
from lslm.costing import sampling
from lslm.costing.rates import Line, Part, PartSize
from lslm.costing.samples import Sample
from lslm.costing.sampling import Drawn
from lslm.errors import InputError
from lslm.settings import Settings
from lslm.text import store
from lslm.text.store import Tokens

_FEW = 20
"""Documents of a part that are cleaned first, so that libraries are loaded."""
_FEWEST, _OF_EACH = 4, 3
"""Documents of the corpus, and for each of its labels: then there are two training parts, the smaller one with
every label, and documents to ask about."""


@dataclass(frozen=True)
class Texts:
    """The sample as a corpus, and what it took to make it."""

    samples: dict[Part, Sample]
    clean: Line
    """Seconds by characters as they are read."""
    split: float
    """Seconds a document."""
    tokenize: float
    """Seconds a character that is kept."""


def texts(drawn: dict[Part, Drawn], settings: Settings, folder: Path) -> Texts:
    """Clean, cut and tokenize what was drawn, below `folder`."""
    kind = heads.get(settings.head.kind)
    few: dict[Part, Drawn] = {
        part: replace(each, records=each.records[:_FEW]) for part, each in drawn.items()
    }
    took: list[float] = []
    # The first call loads libraries.
    for name, records in (("few", few), ("cleaned", drawn)):
        small = sampling.written(records, settings, folder)
        began = time.process_time()
        chain.clean(
            small,
            folder,
            folder / name,
            needs_label=kind.needs_label,
            extras=kind.extras,
        )
        took.append(time.process_time() - began)
    shards = sorted((folder / "cleaned" / "documents").glob("*.parquet"))
    _check_any(len(shards))
    began = time.process_time()
    frame = pl.concat([pl.read_parquet(shard) for shard in shards])
    frame = _in_scope(frame, settings)
    _check_enough(frame.filter(pl.col("part") == "corpus")["label"])
    for part in drawn:
        _shuffled(frame.filter(pl.col("part") == part)).write_parquet(folder / f"{part}.parquet")
    split = time.process_time() - began
    sentences = kind.batching.sentences(heads.options(settings.head))
    began = time.process_time()
    for part in drawn:
        store.write(folder / f"{part}.parquet", settings.text, folder / f"{part}.tokens", sentences)
    tokenized = time.process_time() - began
    samples: dict[Part, Sample] = {
        part: Sample(
            folder / f"{part}.parquet",
            Tokens(folder / f"{part}.tokens"),
            folder / f"{part}.tokens",
            len(each.records),
        )
        for part, each in drawn.items()
    }
    n_read = sum(len(record.text or "") for each in drawn.values() for record in each.records)
    clean = Line(fixed=took[0], each=took[1] / max(1, n_read))
    n_kept = int(frame["text"].str.len_chars().sum())
    return Texts(samples, clean, split / max(1, len(frame)), tokenized / max(1, n_kept))


def size(drawn: Drawn, sample: Sample, min_count: int) -> PartSize:
    """How large the whole part is, by what was drawn of it."""
    half, whole = (np.arange(n) for n in (max(1, sample.n // 2), sample.n))
    n_half, n_whole = sample.n_tokens(half), sample.n_tokens(whole)
    types = [sample.n_types(rows) for rows in (half, whole)]
    growth = (
        np.log(types[1] / types[0]) / np.log(n_whole / n_half)
        if types[0] > 0 and n_half < n_whole
        else 0.0
    )
    return PartSize(
        documents=drawn.n_documents,
        exact=drawn.exact,
        kept=sample.n / max(1, sample.n_drawn),
        characters=drawn.n_characters / max(1, drawn.n_read),
        cleaned=sample.n_characters() / max(1, sample.n),
        tokens=n_whole / max(1, sample.n),
        read=drawn.seconds / max(1, drawn.n_read),
        types=types[1],
        types_of=n_whole,
        growth=float(growth),
        frequent=sample.n_types(whole, min_count) / max(1, types[1]),
    )


def _check_any(n: int) -> None:
    if not n:
        raise InputError(
            "no documents are left to learn from",
            where="corpus.sources",
            right="at least one that cleaning keeps",
        )


def _check_enough(labels: pl.Series) -> None:
    _check_any(len(labels))
    least = max(_FEWEST, _OF_EACH * labels.drop_nulls().n_unique())
    if len(labels) < least:
        raise InputError(
            f"too few documents are left to calibrate on: {len(labels)}",
            where="corpus.sources",
            right=f"at least {least}",
        )


def _in_scope(frame: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    label = settings.split.out_of_scope
    if label is None or settings.split.train_out_of_scope:
        return frame
    return frame.filter((pl.col("label") != label) | pl.col("label").is_null())


def _shuffled(frame: pl.DataFrame) -> pl.DataFrame:
    """In chance's order, but a document of each label first: no part may lack one."""
    if not len(frame):
        return frame
    rows = np.random.default_rng(0).permutation(len(frame))
    first = frame[rows]["label"].is_first_distinct().to_numpy()
    return frame[np.concatenate([rows[first], rows[~first]])]
