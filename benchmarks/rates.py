"""Rates that docs/scale.md counts with: tokens, word vectors, and what a task sends to Prefect's server.

    python -m benchmarks.rates [--documents 4000] [--tasks 20]

Tokens and vectors are made of IMDb reviews on one thread, in processor seconds. Requests and events are those
that a flow sends while it submits that many empty tasks, less those of a flow without any, by task.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.search import films
from lslm.cli.environment import prepare
from lslm.embeddings import word2vec
from lslm.settings import EmbeddingSettings, TextSettings
from lslm.text import store


def main() -> None:
    """Measure each and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--tasks", type=int, default=20)
    asked = parser.parse_args()
    table = Table("what", "a second, one thread")
    with tempfile.TemporaryDirectory() as folder:
        for what, rate in text_rates(Path(folder), asked.documents).items():
            table.add_row(what, f"{rate:,.1f}")
        prepare(Path(folder), use_servers=False)
        sent = sent_by_kind(asked.tasks)
    Console().print(table)
    told = ", ".join(f"{kind} {n / asked.tasks:.1f}" for kind, n in sent.most_common())
    Console().print(f"sent to Prefect's server, a task: {told}")


def text_rates(folder: Path, n_documents: int) -> dict[str, float]:
    """Megabytes and tokens a second, and words a second through one epoch of skip-gram."""
    reviews = films().filter(pl.col("source") == "imdb")[:n_documents]
    documents, megabytes = folder / "documents.parquet", reviews["text"].str.len_bytes().sum() / 1e6
    reviews.write_parquet(documents)
    began = time.process_time()
    store.write(documents, TextSettings(), folder / "tokens")
    cut = time.process_time() - began
    tokens = store.Tokens(folder / "tokens")
    settings = EmbeddingSettings(epochs=1, min_count=5)
    began = time.process_time()
    word2vec.pretrain(tokens, np.arange(len(tokens)), settings, workers=1)
    learned = time.process_time() - began
    return {
        "tokenizing, MB": megabytes / cut,
        "tokenizing, tokens": len(tokens.flat) / cut,
        f"skip-gram, {settings.size} units, words": len(tokens.flat) / learned,
    }


def sent_by_kind(n_tasks: int) -> Counter[str]:
    """Requests and events that submitted tasks send."""
    from prefect import flow, task
    from prefect.events.worker import EventsWorker

    counts: list[Counter[str]] = []
    watch(httpx.Client, "send", lambda request: f"{request.method} request", counts)
    watch(httpx.AsyncClient, "send", lambda request: f"{request.method} request", counts)
    watch(EventsWorker, "send", lambda event: "event", counts)

    @task
    def nothing(number: int) -> int:
        return number

    @flow
    def submitting(n: int) -> None:
        for each in [nothing.submit(number) for number in range(n)]:
            each.result()

    for n in (1, 0, n_tasks):
        counts.append(Counter())
        submitting(n)
    return counts[2] - counts[1]


def watch(kind: Any, method: str, named: Callable[[Any], str], counts: list[Counter[str]]) -> None:
    """Have a class count what it sends, in the last of the counters."""
    send = getattr(kind, method)

    def counting(self: Any, item: Any, *args: Any, **kwargs: Any) -> Any:
        counts[-1][named(item)] += 1
        return send(self, item, *args, **kwargs)

    setattr(kind, method, counting)


if __name__ == "__main__":
    main()
