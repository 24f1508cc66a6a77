"""Parts of the documents: a good mean can hide a part that fails. The only way slices are cut here."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lslm.evaluation.answers import Answers
from lslm.evaluation.report import SliceScore
from lslm.evaluation.scoring import NETWORK, mean_of_some, mean_score
from lslm.heads.contract import Array, Head
from lslm.settings import EvaluationSettings, TextSettings
from lslm.text.tokenizers import tokenizer

Mask = NDArray[np.bool_]
Partition = Callable[[pl.DataFrame], pl.Series]
"""From documents to the name of the slice each belongs to, null for none."""

_WAYS = ("label", "length", "source", "metadata")
_RARE = 5
"""Documents of the reference; a word in fewer of them is rare."""


@dataclass(frozen=True)
class Answered:
    """Documents, and what was answered for them, in one order."""

    documents: pl.DataFrame
    answers: Answers


def partitions(reference: pl.DataFrame, by: str) -> list[Partition]:
    """The ways to cut by `label`, `source`, `length` or `metadata`; bounds come from `reference`."""
    if by == "length":
        return [by_length(reference)]
    if by == "metadata":
        return [_by_metadata(name) for name in _metadata_names(reference)]
    return [_by_column(by)] if by in reference.columns else []


def by_length(reference: pl.DataFrame) -> Partition:
    """Three parts of about equal size, by characters."""
    lengths = reference["text"].str.len_chars().to_numpy()
    low, high = np.quantile(lengths, [1 / 3, 2 / 3], method="lower")
    names = (
        f"length short (at most {low} characters)",
        f"length medium (up to {high} characters)",
        f"length long (over {high} characters)",
    )
    return lambda documents: _named(documents["text"].str.len_chars().to_numpy(), low, high, names)


def by_rare_words(reference: pl.DataFrame, text: TextSettings) -> Partition:
    """Without rare words, with few of them, with many; the halves of those that have any.

    A word is rare if fewer than five documents of the reference have it.
    """
    split = tokenizer(text)
    counts = Counter[str]()
    for document in reference["text"]:
        counts.update(set(split(document)))

    def shares(documents: pl.DataFrame) -> Array:
        tokens = (split(document) for document in documents["text"])
        return np.array([_share(words, counts) for words in tokens], dtype=np.float64)

    found = shares(reference)
    middle = float(np.median(found[found > 0])) if found.any() else 0.0
    names = (
        "rare words none",
        f"rare words few (up to {middle:.0%})",
        f"rare words many (over {middle:.0%})",
    )
    return lambda documents: _named(shares(documents), 0.0, middle, names)


def parts(documents: pl.DataFrame, partition: Partition, least: int) -> Iterator[tuple[str, Mask]]:
    """Name and rows of each slice that has at least that many documents, by name."""
    names = partition(documents)
    counts = names.drop_nulls().value_counts().filter(pl.col("count") >= least)
    for name in sorted(counts[names.name].to_list()):
        yield name, (names == name).fill_null(value=False).to_numpy()


def slice_scores(
    head: Head,
    development: Answered,
    holdout: Answered,
    text: TextSettings,
    least: int,
    settings: EvaluationSettings,
) -> tuple[SliceScore, ...]:
    """The goal's metric on every slice, worst first.

    Slices are found and ordered by out-of-fold answers, which are many and leave the holdout alone. The
    worst of many is partly bad luck; the holdout's score of the same slice is free of that.
    """
    reference = development.documents
    ways = [way for by in _WAYS for way in partitions(reference, by)]
    found = [
        score
        for way in (*ways, by_rare_words(reference, text))
        for score in _of_one_way(head, development, holdout, way, least, settings)
    ]
    sign = 1 if head.goal.direction == "maximize" else -1
    return tuple(sorted(found, key=lambda each: sign * each.score.value))


def _of_one_way(
    head: Head,
    development: Answered,
    holdout: Answered,
    way: Partition,
    least: int,
    settings: EvaluationSettings,
) -> Iterator[SliceScore]:
    """Its slices, unless one holds all documents."""
    ours, theirs = _scores(head, development.answers), _scores(head, holdout.answers)
    there = way(holdout.documents)
    for name, rows in parts(development.documents, way, least):
        if rows.all():
            continue
        held = (there == name).fill_null(value=False).to_numpy()
        yield SliceScore(
            name=name,
            score=mean_score(ours[rows], settings, development.answers.of_group(rows)),
            rest=float(ours[~rows].mean()),
            holdout=mean_of_some(theirs, held, holdout.answers, settings),
        )


def _scores(head: Head, answers: Answers) -> Array:
    return head.example_scores(answers.truth, answers.outputs[NETWORK])


def _named(values: Array, low: float, high: float, names: tuple[str, str, str]) -> pl.Series:
    """The first name up to `low`, the second up to `high`, the third above."""
    places = (values > low).astype(int) + (values > high)
    return pl.Series("slice", [names[place] for place in places], dtype=pl.String)


def _by_column(column: str) -> Partition:
    return lambda documents: (f"{column} " + documents[column]).alias("slice")


def _by_metadata(name: str) -> Partition:
    def named(documents: pl.DataFrame) -> pl.Series:
        values = [each.get(name) for each in _metadata(documents)]
        told = [None if value is None else f"{name} {value}" for value in values]
        return pl.Series("slice", told, dtype=pl.String)

    return named


def _metadata(documents: pl.DataFrame) -> Iterator[dict[str, str | None]]:
    if "metadata" in documents.columns:
        for cell in documents["metadata"]:
            yield json.loads(cell) if cell else {}


def _metadata_names(documents: pl.DataFrame) -> list[str]:
    return list(dict.fromkeys(name for each in _metadata(documents) for name in each))


def _share(words: list[str], counts: Counter[str]) -> float:
    """Of rare words among a document's."""
    return sum(counts[word] < _RARE for word in words) / len(words) if words else 0.0
