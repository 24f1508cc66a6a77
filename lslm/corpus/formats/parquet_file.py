"""Parquet: batches of the wanted columns alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lslm.corpus.columns import Columns
from lslm.corpus.opening import Advance
from lslm.corpus.records import Malformed, Row
from lslm.errors import InputError

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_BATCH = 2048


def opened(path: Path) -> "ParquetFile":
    """The file, open; InputError where it is none of Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, memory_map=False)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"not Parquet ({error})", where=str(path), right="a whole Parquet file"
        ) from None


def rows(path: Path, columns: Columns, advance: Advance) -> Iterator[Row | Malformed]:
    """Records of a Parquet file."""
    with opened(path) as file:
        there = file.schema_arrow.names
        columns.check(there, str(path))
        wanted = [*columns.names(), *(n for n in columns.extras.values() if n in there)]
        share = path.stat().st_size / max(file.metadata.num_rows, 1)
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH, columns=list(dict.fromkeys(wanted))):
            for values in batch.to_pylist():
                number += 1
                row = columns.row(number, values)
                if row is not None:
                    yield row
            advance(round(share * batch.num_rows))
