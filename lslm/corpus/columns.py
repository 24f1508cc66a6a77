"""Which columns of a table are read, and how a row of them becomes a document."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from lslm.corpus.records import Malformed, Row
from lslm.corpus.values import as_text, document_text
from lslm.errors import InputError

_SHOWN = 200


@dataclass(frozen=True)
class Columns:
    """The wanted columns of a table; None where one is not asked for."""

    text: str
    label: str | None = None
    group: str | None = None
    time: str | None = None
    metadata: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    """Values that a row must have to be kept."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Columns that are read where they are there, by the names they get."""
    required: frozenset[str] = frozenset()
    """Those of the extras that have to be there."""

    def names(self) -> tuple[str, ...]:
        """All columns that have to be there, each once."""
        needed = (self.extras[name] for name in sorted(self.required))
        wanted = (
            self.text,
            self.label,
            self.group,
            self.time,
            *self.metadata,
            *self.where,
            *needed,
        )
        return tuple(dict.fromkeys(name for name in wanted if name is not None))

    def check(self, there: Collection[str], file: str) -> None:
        """Raise InputError where a wanted column is missing, or stands there twice."""
        for name in self.names():
            times = sum(other == name for other in there)
            if times != 1:
                what = f"no column '{name}'" if times == 0 else f"{times} columns named '{name}'"
                right = f"one of: {', '.join(there)}" if times == 0 else "each name once"
                raise InputError(what, where=file, right=right)

    def row(self, number: int, values: Mapping[str, object]) -> Row | Malformed | None:
        """A row of the table as a document; None where `where` drops it."""
        try:
            for name, wanted in self.where.items():
                if as_text(values.get(name)) != wanted:
                    return None
            return Row(
                number,
                document_text(values.get(self.text)),
                self._cell(self.label, values),
                self._cell(self.group, values),
                self._cell(self.time, values),
                {name: self._cell(name, values) for name in self.metadata},
                self._extras(values),
            )
        except TypeError as error:
            return Malformed(number, str(error), str(values)[:_SHOWN])

    def _extras(self, values: Mapping[str, object]) -> dict[str, Any]:
        found = {name: values.get(column) for name, column in self.extras.items()}
        return {name: value for name, value in found.items() if value not in (None, "")}

    def _cell(self, name: str | None, values: Mapping[str, object]) -> str | None:
        if name is None:
            return None
        try:
            return as_text(values.get(name))
        except TypeError as error:
            raise TypeError(f"column '{name}' is {error}") from None
