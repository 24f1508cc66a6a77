"""The calibration: the pipeline's own functions on a sample of its documents, each timed.

Processor time of one-thread processes is taken, which other work on the machine disturbs little. As many
training processes as will be at work are at work here too: they share memory and its speed.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from lslm import __version__, progress
from lslm.corpus import sources
from lslm.costing import reporting, sampling
from lslm.costing.baselines import baselines
from lslm.costing.fits import measured
from lslm.costing.parts import PART, prepared
from lslm.costing.rates import Rates
from lslm.costing.reading import reading
from lslm.costing.samples import Chosen
from lslm.costing.served import served
from lslm.costing.texts import size, texts
from lslm.costing.vectors import vectors
from lslm.planning import key_parts
from lslm.settings import ExecutionSettings, Settings
from lslm.training import workers
from lslm.training.workers import Workers
from lslm.workspace import Workspace

_SOURCES = ("lslm.costing.calibration", "lslm.costing.training")

Result = TypeVar("Result")


def rates(settings: Settings, base: Path, workspace: Workspace) -> Rates:
    """What is known of this machine and pipeline; measured if it is not known yet."""
    name = f"costs/{settings.name}-{_key(settings, base, workspace)}.json"
    if known := workspace.read_json(name):
        return Rates.model_validate(known)
    with workspace.scratch() as folder, _processes(settings.execution) as processes:
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
            "pretraining": {"language_model", "batch_size", "window", "sampled_words"},
            "head": True,
            "encoder": True,
            "training": {"batch_size", "max_tokens", "members", "lazy_words", "precision"},
            "search": {"space", "seed", "max_size_mb", "max_latency_ms"},
            "evaluation": {"baselines", "resamples", "confidence"},
            "execution": {"workers", "cores"},
            "registry": {"networks"},
        },
    )
    for name in ("epochs", "learning_rate", "seed"):
        del given["embedding"][name]
    return {**given, "searched": settings.search.n_trials > 0}


@contextmanager
def _processes(execution: ExecutionSettings) -> Iterator[Workers]:
    """The training processes of the run that is going on, or as many for the time of the block, of one thread."""
    running = workers.shared()
    if isinstance(running, Workers):
        yield running
        return
    number = execution.workers or workers.places(execution.cores, 0)
    with workers.started(number) as started:
        yield started


def _measured(settings: Settings, base: Path, folder: Path, processes: Workers) -> Rates:
    began = time.perf_counter()
    with progress.bar("Calibration", 10, "steps") as shown:

        def step(work: Callable[..., Result], *arguments: Any) -> Result:
            result = work(*arguments)
            shown.advance()
            return result

        python = step(_python_seconds)
        drawn = step(sampling.draw, settings, base)
        made = step(texts, drawn, settings, folder)
        corpus = made.samples["corpus"]
        chosen = Chosen.of(corpus, settings)
        words = step(vectors, made.samples, settings, folder, processes)
        part = step(prepared, corpus, chosen, words, settings, folder, processes)
        read = step(reading, folder / PART, settings, processes)
        network, outputs = step(measured, folder / PART, settings, folder, processes)
        floors = step(baselines, corpus, chosen, settings, folder, processes)
        model = step(served, corpus, chosen, settings, folder, processes)
        report = step(reporting.seconds, settings, outputs, folder / PART)
    least = settings.embedding.min_count
    return Rates(
        parts={name: size(drawn[name], each, least) for name, each in made.samples.items()},
        clean=made.clean,
        split=made.split,
        tokenize=made.tokenize,
        words=words.words,
        words_outside=words.words_outside,
        vectors=words.each,
        reading=read,
        prepare=part,
        network=network,
        baselines=floors,
        assemble=model.assemble,
        assemble_one=model.assemble_one,
        serve=model.answer,
        explain=model.explain,
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
