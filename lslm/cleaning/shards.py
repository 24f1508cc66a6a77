"""Documents in Parquet files of some 16 MB of text each."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SPILLED = pa.schema(
    [
        ("text", pa.string()),
        ("label", pa.string()),
        ("time", pa.string()),
        ("part", pa.string()),
        ("source", pa.string()),
        ("row", pa.int64()),
        ("metadata", pa.string()),
        ("extras", pa.string()),
        ("fingerprint", pa.uint64()),
    ]
)
"""What a document is before it has a number and a group; `metadata` and `extras` are JSON
objects, or null."""
DOCUMENTS = pa.schema(
    [
        ("id", pa.int64()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("group", pa.int64()),
        ("time", pa.string()),
        ("part", pa.string()),
        ("source", pa.string()),
        ("row", pa.int64()),
        ("metadata", pa.string()),
        ("extras", pa.string()),
        ("fingerprint", pa.uint64()),
    ]
)
"""A document of the cleaned corpus."""
_SHARD = 16 << 20


class Shards:
    """A folder of numbered Parquet files, filled in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self._waiting: list[pa.RecordBatch] = []
        self._n_bytes = 0
        self._n_files = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take documents in; a full shard is written."""
        self._waiting.append(batch)
        self._n_bytes += batch.nbytes
        if self._n_bytes >= _SHARD:
            self.close()

    def close(self) -> None:
        """Write the documents that wait."""
        if self._waiting:
            write(pa.Table.from_batches(self._waiting), self._folder, self._n_files)
            self._n_files += 1
        self._waiting, self._n_bytes = [], 0


def write(table: pa.Table, folder: Path, number: int) -> None:
    """Write one shard."""
    path = folder / f"part-{number:05}.parquet"
    pq.write_table(table, path, compression="zstd", compression_level=1)


def read(folder: Path) -> Iterator[pa.Table]:
    """The shards of a folder, one at a time; what Arrow holds on to is given back between them."""
    for path in sorted(folder.glob("part-*.parquet")):
        yield pq.read_table(path, memory_map=False, use_threads=False, partitioning=None)
        pa.default_memory_pool().release_unused()
