"""The calibration: the pipeline's own functions on a sample of its documents, each timed.

Processor time of one-thread processes is taken, which other work on the machine disturbs little. As many
training processes as will be at work are at work here too: they share memory and its speed.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from lslm import __version__, heads, progress
from lslm.cleaning import chain
from lslm.corpus import sources
from lslm.costing import drawing, networks, reporting, sampling, timing
from lslm.costing.networks import Measured
from lslm.costing.rates import BaselineRate, Growing, Line, Part, PartSize, Rates
from lslm.costing.sampling import Drawn
from lslm.planning import key_parts
from lslm.settings import EmbeddingSettings, Settings
from lslm.text import store
from lslm.text.store import Rows, Tokens
from lslm.training import workers
from lslm.training.workers import Workers
from lslm.workspace import Workspace

_NETWORKS = 4
"""Networks of different size that are timed."""
_NETWORK_SECONDS = 1.2
_TRAINED_TOKENS = 100_000
"""At most, of the documents that networks are timed on."""
_WINDOW = 16
"""Batches inside which documents of like length are put together (`lslm.training.batches`)."""
_WORDS = 250_000
"""At most, of the documents that Word2Vec is timed on."""
_SQUARES = 200_000
"""Sum of squared lengths of the documents that are explained."""
_FEW = 20
"""Documents of a part that are cleaned first, so that libraries are loaded."""
_SOURCES = ("lslm.costing.calibration", "lslm.costing.training")

Result = TypeVar("Result")


def rates(settings: Settings, base: Path, workspace: Workspace) -> Rates:
    """What is known of this machine and pipeline; measured if it is not known yet."""
    name = f"costs/{settings.name}-{_key(settings, base, workspace)}.json"
    if known := workspace.read_json(name):
        return Rates.model_validate(known)
    with workspace.scratch() as folder, _processes(settings.execution.workers) as processes:
        found = _measured(settings, base, folder, processes)
    workspace.write_json(name, found.model_dump(mode="json"))
    return found


def _key(settings: Settings, base: Path, workspace: Workspace) -> str:
    """Of everything that rates depend on: the machine, versions, the documents, and settings."""
    content = [
        [platform.node(), platform.machine(), workers.available_cores()],
        __version__,
        _relevant(settings),
        sources.fingerprints(settings.corpus, base, workspace),
        key_parts({}, _SOURCES),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _relevant(settings: Settings) -> dict[str, Any]:
    """Settings that change rates; those that only say how often something is done do not."""
    given = settings.model_dump(
        mode="json",
        include={
            "corpus": True,
            "cleaning": True,
            "split": {"out_of_scope", "train_out_of_scope"},
            "text": True,
            "embedding": True,
            "head": True,
            "encoder": True,
            "training": {"batch_size", "max_tokens", "members"},
            "search": {"space", "seed"},
            "evaluation": {"baselines", "resamples", "confidence"},
            "execution": {"workers"},
        },
    )
    for name in ("epochs", "learning_rate", "seed"):
        del given["embedding"][name]
    return {**given, "searched": settings.search.n_trials > 0}


@contextmanager
def _processes(number: int | None) -> Iterator[Workers]:
    """The training processes of the run that is going on, or some for the time of the block."""
    running = workers.shared()
    if isinstance(running, Workers):
        yield running
        return
    with workers.started(number) as started:
        yield started


@dataclass(frozen=True)
class _Sample:
    """Cleaned documents of one part, and their tokens."""

    documents: Path
    tokens: Tokens
    folder: Path
    """Of the tokens."""
    n_drawn: int

    @property
    def n(self) -> int:
        return len(self.tokens)

    def rows(self, most_tokens: int) -> Rows:
        """The first documents that hold at most so many tokens, one at least."""
        ends = np.asarray(self.tokens.offsets[1:])
        return np.arange(max(1, int(np.searchsorted(ends, most_tokens))))

    def n_tokens(self, rows: Rows) -> int:
        """Of those documents."""
        return int(sum(len(self.tokens.document(row)) for row in rows))


@dataclass(frozen=True)
class _Vectors:
    """What Word2Vec was found to take."""

    words: float
    words_outside: float
    each: float
    n_types: int
    folder: Path | None


def _measured(settings: Settings, base: Path, folder: Path, processes: Workers) -> Rates:
    began = time.perf_counter()
    with progress.bar("Calibration", 9, "steps") as shown:

        def step(work: Callable[..., Result], *arguments: Any) -> Result:
            result = work(*arguments)
            shown.advance()
            return result

        python = step(_python_seconds)
        drawn = step(sampling.draw, settings, base)
        samples, clean, split, tokenize = step(_texts, drawn, settings, folder)
        corpus = samples["corpus"]
        vectors = step(_vectors, samples, settings, folder, processes)
        at = _Parts.of(corpus, settings)
        prepared = step(_prepared, corpus, at, vectors, settings, folder, processes)
        network, outputs = step(_networks, folder / "part-1", settings, folder, processes)
        baselines = step(_baselines, corpus, at, settings, folder, processes)
        assemble, assemble_one, served = step(_served, corpus, at, settings, folder, processes)
        report = step(reporting.seconds, settings, outputs, folder / "part-1")
    return Rates(
        parts={
            name: _size(drawn[name], each, settings.embedding.min_count)
            for name, each in samples.items()
        },
        clean=clean,
        split=split,
        tokenize=tokenize,
        words=vectors.words,
        words_outside=vectors.words_outside,
        vectors=vectors.each,
        prepare=prepared,
        network=network,
        baselines=baselines,
        assemble=assemble,
        assemble_one=assemble_one,
        serve=served.answer,
        explain=served.explain,
        report=report,
        python=python,
        calibration=time.perf_counter() - began,
    )


def _python_seconds() -> float:
    """Of a piece of plain Python, the quickest of a few times."""

    def once() -> float:
        began = time.process_time()
        json.loads(json.dumps([{"a": str(i), "b": [i] * 10} for i in range(30_000)]))
        return time.process_time() - began

    return min(once() for _ in range(4))


def _texts(
    drawn: dict[Part, Drawn], settings: Settings, folder: Path
) -> tuple[dict[Part, _Sample], Line, float, float]:
    """Samples by part; seconds a character to clean, a document to split, a character to tokenize."""
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
            needs_label="label" in kind.columns,
            extras=kind.extras,
        )
        took.append(time.process_time() - began)
    shards = sorted((folder / "cleaned" / "documents").glob("*.parquet"))
    began = time.process_time()
    frame = pl.concat([pl.read_parquet(shard) for shard in shards])
    frame = _in_scope(frame, settings)
    for part in drawn:
        _shuffled(frame.filter(pl.col("part") == part)).write_parquet(folder / f"{part}.parquet")
    split = time.process_time() - began
    sentences = kind.batching.sentences(heads.options(settings.head))
    began = time.process_time()
    for part in drawn:
        store.write(folder / f"{part}.parquet", settings.text, folder / f"{part}.tokens", sentences)
    tokenized = time.process_time() - began
    samples: dict[Part, _Sample] = {
        part: _Sample(
            folder / f"{part}.parquet",
            Tokens(folder / f"{part}.tokens"),
            folder / f"{part}.tokens",
            len(each.records),
        )
        for part, each in drawn.items()
    }
    n_characters = max(1, int(frame["text"].str.len_chars().sum()))
    clean = Line(fixed=took[0], each=took[1] / n_characters)
    return samples, clean, split / max(1, len(frame)), tokenized / n_characters


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


def _size(drawn: Drawn, sample: _Sample, min_count: int) -> PartSize:
    half, whole = (np.arange(n) for n in (max(1, sample.n // 2), sample.n))
    n_half, n_whole = sample.n_tokens(half), sample.n_tokens(whole)
    types = [_n_types(sample, rows) for rows in (half, whole)]
    growth = np.log(types[1] / types[0]) / np.log(n_whole / n_half) if n_whole > n_half else 0.0
    return PartSize(
        documents=drawn.n_documents,
        exact=drawn.exact,
        kept=sample.n / max(1, sample.n_drawn),
        characters=drawn.n_characters / max(1, drawn.n_read),
        tokens=n_whole / max(1, sample.n),
        read=drawn.seconds / max(1, drawn.n_read),
        types=types[1],
        types_of=n_whole,
        growth=float(growth),
        frequent=_n_types(sample, whole, min_count) / max(1, types[1]),
    )


# Word2Vec.


def _vectors(
    samples: dict[Part, _Sample], settings: Settings, folder: Path, processes: Workers
) -> _Vectors:
    """One and two passes over the same documents tell a pass and what comes before and after."""
    embedding = settings.embedding
    if embedding.method == "none":
        return _Vectors(0.0, 0.0, 0.0, 0, None)
    sample = samples.get("outside", samples["corpus"])
    rows = sample.rows(_WORDS)
    n_words = sample.n_tokens(rows)
    once = _rarer(embedding, 1)
    alone = [
        processes.run(
            timing.vectors_seconds,
            tokens=sample.folder,
            rows=rows,
            embedding=once.model_copy(update={"epochs": epochs}),
            threads=1,
            into=folder / f"vectors-{epochs}",
        )
        for epochs in (1, 2)
    ]
    words = max(0.0, alone[1] - alone[0]) / n_words
    threads = embedding.workers or workers.available_cores()
    words_outside = words
    if "outside" in samples and threads > 1:
        together = [
            timing.vectors_seconds(
                sample.folder,
                rows,
                once.model_copy(update={"epochs": epochs}),
                threads,
                folder / f"vectors-{threads}-{epochs}",
            )
            for epochs in (1, 2)
        ]
        words_outside = max(words, (together[1] - together[0]) / n_words)
    n_types = _n_types(sample, rows)
    each = max(0.0, alone[0] - words * n_words) / n_types
    return _Vectors(words, words_outside, each, n_types, folder / "vectors-1")


def _rarer(embedding: EmbeddingSettings, epochs: int) -> EmbeddingSettings:
    """A sample sees a word less often: with fewer occurrences needed its table has more of its size."""
    return embedding.model_copy(
        update={"epochs": epochs, "adapt_epochs": min(1, embedding.adapt_epochs), "min_count": 1}
    )


# Training parts.


@dataclass(frozen=True)
class _Parts:
    """Rows of the sample that things are fitted on and asked about."""

    training: tuple[Rows, Rows]
    """Some, and twice as many."""
    validation: Rows

    @classmethod
    def of(cls, sample: _Sample, settings: Settings) -> "_Parts":
        wanted = 2 * _WINDOW * settings.training.batch_size
        n = min(wanted, len(sample.rows(_TRAINED_TOKENS)), sample.n * 4 // 5)
        n_held = max(1, min(n // 2, sample.n - n))
        return cls((np.arange(max(2, n // 2)), np.arange(n)), np.arange(n, n + n_held))


def _prepared(
    corpus: _Sample,
    at: _Parts,
    vectors: _Vectors,
    settings: Settings,
    folder: Path,
    processes: Workers,
) -> Line:
    """Seconds by documents, without the vectors' own."""
    once = _rarer(settings.embedding, 1)
    own = "outside" not in _parts_of(settings)
    took: list[float] = []
    for number, rows in enumerate(at.training):
        spent = processes.run(
            timing.prepare_seconds,
            documents=corpus.documents,
            tokens=corpus.folder,
            training=rows,
            validation=at.validation,
            outside=None if own else vectors.folder,
            embedding=once,
            head=settings.head,
            into=folder / f"part-{number}",
        )
        epochs = 1 if own else once.adapt_epochs
        n_types = _n_types(corpus, rows) if own else vectors.n_types
        took.append(spent - vectors.words * epochs * corpus.n_tokens(rows) - vectors.each * n_types)
    few, many = (len(rows) + len(at.validation) for rows in at.training)
    each = max(0.0, took[1] - took[0]) / max(1, many - few)
    return Line(fixed=max(0.0, took[1] - each * many), each=each)


def _parts_of(settings: Settings) -> set[Part]:
    given = settings.corpus
    there: dict[Part, Any] = {
        "corpus": given.sources,
        "holdout": given.holdout,
        "outside": given.outside,
    }
    return {part for part, files in there.items() if files}


def _n_types(sample: _Sample, rows: Rows, least: int = 1) -> int:
    """Different tokens that stand at least so often in the given documents."""
    return int((sample.tokens.counts(rows) >= least).sum())


# Networks.


def _networks(part: Path, settings: Settings, folder: Path, processes: Workers) -> Any:
    n_words = len(json.loads((part / "vocabulary.json").read_text("utf-8")))
    tried = [drawing.start(settings), *drawing.draws(settings)]
    chosen = networks.different(tried, settings.embedding, n_words, _NETWORKS)
    saves = [folder / f"{number}.keras" for number in range(len(chosen))]
    measured: list[Measured] = _at_once(
        processes,
        [
            {
                "function": "lslm.costing.training:network_seconds",
                "part_folder": part,
                "head_kind": settings.head.kind,
                "hyperparameters": each,
                "seconds": _NETWORK_SECONDS,
                "save": save,
            }
            for each, save in zip(chosen, saves, strict=True)
        ],
    )
    answered = processes.run(
        "lslm.costing.training:answering_seconds",
        part_folder=part,
        head_kind=settings.head.kind,
        measured=measured[0],
        seconds=_NETWORK_SECONDS,
    )
    rate = networks.fitted(
        measured,
        settings.embedding,
        begin=answered.begin,
        answer=answered.answer,
        score=answered.score,
    )
    return rate, answered.outputs


def _at_once(processes: Workers, calls: Sequence[dict[str, Any]]) -> list[Any]:
    with ThreadPoolExecutor(processes.number) as threads:
        return list(threads.map(lambda call: processes.run(**call), calls))


# Baselines.


def _baselines(
    corpus: _Sample, at: _Parts, settings: Settings, folder: Path, processes: Workers
) -> dict[str, BaselineRate]:
    kind = heads.get(settings.head.kind)
    wanted = settings.evaluation.baselines
    names = tuple(kind.baselines) if wanted is None else wanted
    targets = json.loads((folder / "part-1" / "targets.json").read_text("utf-8"))
    few, many = at.training
    held = at.validation
    half = held[: max(1, len(held) // 2)]
    # The first call loads libraries.
    sizes = [(few[:50], half[:2]), (few, half), (many, half), (many, held)]
    calls = [
        {
            "function": timing.baseline_seconds,
            "head_kind": settings.head.kind,
            "name": name,
            "documents": corpus.documents,
            "sizes": sizes,
            "targets": targets,
        }
        for name in names
    ]
    took = _at_once(processes, calls)
    return {
        name: _rate(each[1:], few, many, half, held) for name, each in zip(names, took, strict=True)
    }


def _rate(took: list[float], few: Rows, many: Rows, half: Rows, held: Rows) -> BaselineRate:
    """From seconds with few and half, many and half, many and all held."""
    answer = max(0.0, took[2] - took[1]) / max(1, len(held) - len(half))
    small, large = (max(1e-6, each - answer * len(half)) for each in took[:2])
    power = np.log(large / small) / np.log(len(many) / len(few))
    return BaselineRate(
        fit=Growing(n=len(many), seconds=large, power=float(np.clip(power, 0.0, 1.5))),
        answer=answer,
    )


# The model as it is served.


def _served(
    corpus: _Sample, at: _Parts, settings: Settings, folder: Path, processes: Workers
) -> tuple[float, float, timing.Served]:
    """Seconds to export the pipeline's number of networks, and one; of its answers."""
    members = settings.training.members
    took: dict[int, float] = {}
    for n in sorted({1, members}):
        took[n] = processes.run(
            "lslm.costing.training:assemble_seconds",
            folder=folder / f"model-{n}",
            members=[folder / "0.keras"] * n,
            part_folder=folder / "part-1",
            documents=corpus.documents,
            head=settings.head,
            text=settings.text,
            cleaning=settings.cleaning,
            hyperparameters=drawing.start(settings).replaced({"training.members": n}),
        )
    rows = at.validation[:200]
    texts: list[str] = timing.frame_of(corpus.documents, rows)["text"].to_list()
    longest = settings.training.max_tokens
    # A document of n words is asked about n times with its words left out.
    squares = np.minimum(np.diff(corpus.tokens.offsets), longest).astype(np.float64) ** 2
    n_explained = int(np.searchsorted(squares[rows].cumsum(), _SQUARES)) + 1
    served = processes.run(
        timing.served_seconds, model=folder / "model-1", texts=texts, n_explained=n_explained
    )
    usual = squares.mean() / squares[rows[:n_explained]].mean()
    return took[members], took[1], replace(served, explain=served.explain * float(usual))
