"""A sample of a pipeline's documents, drawn while they are counted, and written as a small corpus."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lslm import heads
from lslm.corpus.reading import InputFile, input_files, read_file
from lslm.corpus.records import Part, Record
from lslm.settings import CorpusSettings, Settings, Source

_SECONDS = 6.0
"""Of reading a part; what is left then is taken to be like what was read, by bytes."""
_CHARACTERS = 6_000_000
"""Of a part's sample."""
_DOCUMENTS = 6_000


@dataclass
class Drawn:
    """One part of the corpus: how much was read, and documents from all over it."""

    n_read: int = 0
    n_characters: int = 0
    seconds: float = 0.0
    """Of processor time."""
    bytes_read: int = 0
    bytes_all: int = 0
    records: list[Record] = field(default_factory=list)
    share: float = 1.0
    """Chance of a document to be in the sample."""

    @property
    def exact(self) -> bool:
        """Whether every document was counted."""
        return self.bytes_read >= self.bytes_all

    @property
    def n_documents(self) -> float:
        """Documents in all of the part."""
        if self.exact:
            return self.n_read
        # Where a file is told in large blocks, the first may still be to come.
        return self.n_read * self.bytes_all / max(self.bytes_read, self.n_characters, 1)


def draw(
    settings: Settings,
    base: Path,
    *,
    seconds: float = _SECONDS,
    characters: int = _CHARACTERS,
    documents: int = _DOCUMENTS,
) -> dict[Part, Drawn]:
    """Read each part for at most `seconds` of processor time, and keep a sample of that size."""
    by_part: dict[Part, list[InputFile]] = {}
    needs_label = heads.get(settings.head.kind).needs_label
    for file in input_files(settings.corpus, base, needs_label=needs_label):
        by_part.setdefault(file.part, []).append(file)
    return {
        part: _drawn(files, settings, seconds, characters, documents)
        for part, files in by_part.items()
    }


def _drawn(
    files: list[InputFile], settings: Settings, seconds: float, characters: int, documents: int
) -> Drawn:
    chance = random.Random(0)
    # Files of a folder differ by where they lie; any first part of them should be like the rest.
    order = chance.sample(files, len(files))
    drawn = Drawn(bytes_all=sum(file.size for file in files))
    kept = 0
    began = time.process_time()
    for record in _records(order, settings, drawn):
        drawn.n_read += 1
        drawn.n_characters += len(record.text or "")
        if chance.random() < drawn.share:
            drawn.records.append(record)
            kept += len(record.text or "")
        while (kept > characters or len(drawn.records) > documents) and len(drawn.records) > 1:
            drawn.share /= 2
            drawn.records = [each for each in drawn.records if chance.random() < 0.5]
            kept = sum(len(each.text or "") for each in drawn.records)
        if time.process_time() - began > seconds:
            break
    else:
        drawn.bytes_read = drawn.bytes_all
    drawn.seconds = time.process_time() - began
    return drawn


def _records(files: list[InputFile], settings: Settings, drawn: Drawn) -> Iterator[Record]:
    kind = heads.get(settings.head.kind)

    def read(n_bytes: int) -> None:
        drawn.bytes_read += n_bytes

    for file in files:
        for each in read_file(
            file,
            settings.corpus,
            needs_label=kind.needs_label,
            extras=kind.extras,
            advance=read,
        ):
            if isinstance(each, Record):
                yield each


def written(drawn: dict[Part, Drawn], settings: Settings, folder: Path) -> Settings:
    """Write the samples as files below `folder`; the settings that read them from there."""
    sources: dict[Part, tuple[Source, ...]] = {}
    for part, each in drawn.items():
        lines = (json.dumps(_row(record), ensure_ascii=False) for record in each.records)
        (folder / f"{part}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        sources[part] = (Source(path=f"{part}.jsonl", format="jsonl"),)
    given = settings.corpus
    corpus = CorpusSettings(
        sources=sources.get("corpus", ()),
        holdout=sources.get("holdout", ()),
        outside=sources.get("outside", ()),
        group="group" if given.group else None,
        time="time" if given.time else None,
        metadata=given.metadata,
    )
    return settings.model_copy(update={"corpus": corpus})


def _row(record: Record) -> dict[str, object]:
    known: dict[str, object] = {**record.metadata, **record.extras}
    own = {
        "text": record.text,
        "label": record.label,
        "group": record.group,
        "time": record.time,
    }
    return known | own
