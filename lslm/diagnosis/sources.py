"""Whether the text that a pipeline learns from can be read."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from lslm import heads
from lslm.corpus import opening, reading
from lslm.corpus.records import Broken, Record
from lslm.diagnosis.checks import Check
from lslm.pipelines.loader import Pipeline

_DOCUMENTS = 20


def sources(pipeline: Pipeline) -> Iterator[Check]:
    """The first documents of every file, read as a run reads them."""
    settings, n_files, n_bytes = pipeline.settings.corpus, 0, 0
    broken: list[Check] = []
    needs_label = heads.get(pipeline.settings.head.kind).needs_label
    for file in reading.input_files(settings, pipeline.base, needs_label=needs_label):
        if file.format == "folder" and file.encoding == opening.BINARY:
            continue  # One rejected row of many, and no reason not to run.
        n_files, n_bytes = n_files + 1, n_bytes + file.size
        documents = reading.read_file(file, settings, needs_label=needs_label)
        read = list(itertools.islice(documents, _DOCUMENTS))
        if not read or all(isinstance(record, Broken) for record in read):
            broken.append(_unreadable(file.path, read))
    yield from broken
    if not n_files:
        mend = "name files in corpus.sources"
        yield Check("sources", ok=False, found="no text", mend=mend)
    elif not broken:
        yield Check("sources", ok=True, found=f"{n_files} files, {n_bytes / 1e6:.1f} MB")


def _unreadable(path: Path, read: Sequence[Record | Broken]) -> Check:
    reasons = {record.reason for record in read if isinstance(record, Broken)}
    what = f"no document ({', '.join(sorted(reasons))})" if reasons else "empty"
    mend = "state corpus.sources' format and encoding, or leave the file out"
    return Check("sources", ok=False, found=f"{path}: {what}", mend=mend)
