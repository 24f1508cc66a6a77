"""The small frozen records that travel from a file to the cleaned corpus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Part = Literal["corpus", "holdout", "outside"]


@dataclass(frozen=True, slots=True)
class Row:
    """What one format read: a line or record that could be understood."""

    number: int
    """1-based line in a text file, record in a Parquet file."""
    text: str | None
    """None where the file says there is none."""
    label: str | None = None
    group: str | None = None
    time: str | None = None
    metadata: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Of the columns in `corpus.metadata`."""
    extras: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the head can use, as JSON values, by the head's names."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """What one format read: a line or record that could not be understood."""

    number: int
    reason: str
    text: str
    """What stands there, as far as it can be shown."""


@dataclass(frozen=True, slots=True)
class Record:
    """A document on its way into the corpus."""

    text: str | None
    label: str | None
    group: str | None
    time: str | None
    source: str
    """The file it came from, as `lslm.corpus.sources.name_of` names it."""
    row: int
    """1-based line in a text file, record in a Parquet file."""
    part: Part
    metadata: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    extras: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Broken:
    """A line or record that is no document; cleaning rejects it with its reason."""

    reason: str
    text: str
    source: str
    row: int
    part: Part
