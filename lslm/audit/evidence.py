"""What a finished pipeline left behind, and how it is opened for the checks."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lslm.cleaning.fingerprint import fingerprint
from lslm.corpus import splitting
from lslm.pretraining.recipe import Recipe
from lslm.settings import SearchSettings, Settings
from lslm.text.store import Rows, Tokens
from lslm.workspace import Handle

_COLUMNS = [
    "id",
    "text",
    "label",
    "group",
    "time",
    "source",
    "row",
    "extras",
    "fingerprint",
    "position",
]


@dataclass(frozen=True)
class FittedPart:
    """One part that was made ready, with the rows of the development set it was to be fitted on."""

    name: str
    """`search` (`search 1` and so on, where it has folds), `fold 1` and so on, or `final`; `fold 1, search` is
    for the search inside that fold."""
    folder: Path
    training: Rows
    validation: Rows

    @property
    def outer(self) -> str | None:
        """Name of the fold whose training rows alone are cut here; None where all rows are."""
        return outer_of(self.name)

    @property
    def is_fold(self) -> bool:
        """Whether it is a fold of the cross-validation itself."""
        return self.name.startswith("fold") and self.outer is None


@dataclass(frozen=True)
class Evidence:
    """Files of a finished pipeline."""

    settings: Settings
    development: Path
    holdout: Path
    outside: Path | None
    tokens: Path
    """Of the development set."""
    vectors: Path | None
    """Learned from the outside text."""
    parts: tuple[FittedPart, ...]
    answers: tuple[Path, ...]
    """Of each fold."""
    model: Path
    """Folder of the network's."""
    baseline: Path | None = None
    """Model folder of the baseline that was put forward; None: the network was."""
    nested: tuple[Path, ...] = ()
    """Answers of each fold, of what the search inside it chose."""
    language: Recipe | None = None
    """How each part learned to read; None without a language model."""
    out_of_scope: Path | None = None
    """Documents of no class that chose a threshold; None where there are none, or they are learned."""
    handles: tuple[Handle, ...] = ()
    """All of these as the stages recorded them, with their digests."""


def rows_of(settings: Settings, development: pl.DataFrame) -> dict[str, tuple[Rows, Rows]]:
    """Training and validation rows by the name of their part, as the settings would have them."""
    search, evaluation = settings.search, settings.evaluation
    folds = splitting.folds(development, evaluation.folds, evaluation.seed)
    nested = [
        splitting.inside(training, sides)
        for number, (training, _) in enumerate(folds)
        for sides in splitting.searched(development[training], search.inside(number))
        if evaluation.nested
    ]
    return {
        **dict(zip(search_parts(search), splitting.searched(development, search), strict=True)),
        **{f"fold {number}": rows for number, rows in enumerate(folds, start=1)},
        **dict(zip(nested_parts(settings), nested, strict=True)),
        "final": (np.arange(development.height), np.arange(0)),
    }


def search_parts(search: SearchSettings) -> list[str]:
    """Names of the parts that trials are judged on; none where there are no trials.

    Example:
        >>> [search_parts(SearchSettings(**given)) for given in ({}, {"folds": 2}, {"n_trials": 0})]
        [['search'], ['search 1', 'search 2'], []]
    """
    if not search.n_trials:
        return []
    numbers = range(1, search.folds + 1)
    return ["search"] if search.folds == 1 else [f"search {number}" for number in numbers]


def nested_parts(settings: Settings) -> list[str]:
    """Names of the parts that the searches inside the folds are judged on.

    Example:
        >>> nested_parts(Settings.model_validate({"name": "a", "evaluation": {"folds": 2, "nested": True}}))
        ['fold 1, search', 'fold 2, search']
    """
    evaluation = settings.evaluation
    numbers = range(1, evaluation.folds + 1) if evaluation.nested else ()
    return [
        f"fold {number}, {name}" for number in numbers for name in search_parts(settings.search)
    ]


def outer_of(name: str) -> str | None:
    """The fold that a part lies inside of, by its name.

    Example:
        >>> outer_of("fold 2, search"), outer_of("fold 2")
        ('fold 2', None)
    """
    outer, comma, _ = name.partition(", ")
    return outer if comma else None


class Case:
    """The evidence, opened; what is read more than once is read here."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.settings = evidence.settings

    @cached_property
    def development(self) -> pl.DataFrame:
        """Documents of the development set."""
        return _read(self.evidence.development)

    @cached_property
    def holdout(self) -> pl.DataFrame:
        """Documents of the holdout."""
        return _read(self.evidence.holdout)

    @cached_property
    def outside(self) -> pl.DataFrame:
        """Documents without labels from outside the corpus; there may be none."""
        if self.evidence.outside is None:
            return self.development.head(0)
        return _read(self.evidence.outside)

    @property
    def sides(self) -> dict[str, pl.DataFrame]:
        """The three, by name."""
        return {
            "development": self.development,
            "holdout": self.holdout,
            "outside": self.outside,
        }

    @cached_property
    def tokens(self) -> Tokens:
        """Tokens of the development set."""
        return Tokens(self.evidence.tokens)

    @cached_property
    def fingerprints(self) -> dict[str, NDArray[np.uint64]]:
        """Of the documents of each side, made anew from their texts."""
        return {
            name: np.fromiter(map(fingerprint, frame["text"]), np.uint64, frame.height)
            for name, frame in self.sides.items()
        }


def _read(path: Path) -> pl.DataFrame:
    """The columns that are looked at; not every head has extras."""
    there = pl.read_parquet_schema(path)
    return pl.read_parquet(path, columns=[name for name in _COLUMNS if name in there])


def place(frame: pl.DataFrame, row: int) -> str:
    """Where a document came from."""
    return f"{frame['source'][row]}:{frame['row'][row]}"
