"""Batches of similar lengths beside two plain ways to pad, on the lengths of the IMDb reviews.

    python -m benchmarks.batches [--documents 4000] [--epochs 3] [--seeds 2]

The same network learns the same reviews three ways: batches of similar lengths as `lslm` makes them,
batches in random order padded to the longest of each, and every review padded to the longest of all,
which tutorials show. All take turns by epochs in this one process, on one thread. Tokens/s counts
words, not padding. Accuracy is on reviews that none of them saw.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import keras
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from lslm import heads
from lslm.cleaning import chain
from lslm.heads.batching import TOKENS
from lslm.heads.contract import Array
from lslm.pipelines.loader import load
from lslm.settings import EmbeddingSettings, HeadSettings, Hyperparameters, TextSettings
from lslm.text import store
from lslm.training.batches import MULTIPLE, Batches
from lslm.training.fitting import answer, build
from lslm.training.parts import Examples, Part, prepare

CHOSEN = Hyperparameters().replaced({"encoder.units": 64, "training.batch_size": 64})
LONGEST = CHOSEN.training.max_tokens
RATE = 2e-3
HEAD = heads.get("classify")


def main() -> None:
    """Prepare, train by turns, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        part = reviews(Path(scratch), asked.documents)
        seconds, accuracies = trained(part, asked.epochs, asked.seeds)
        lengths = part.training.lengths(LONGEST)
    n_tokens = int(lengths.sum())
    table = Table("batches", "s an epoch", "tokens/s", "against longest", "accuracy by seed")
    slowest = float(np.median(seconds["padded to the longest of all"]))
    for way, times in seconds.items():
        middle = float(np.median(times))
        told = ", ".join(f"{100 * value:.1f}" for value in accuracies[way])
        table.add_row(
            way, f"{middle:.1f}", f"{n_tokens / middle:,.0f}", f"{slowest / middle:.2f}x", told
        )
    console = Console()
    console.print(table)
    console.print(
        f"{len(lengths)} reviews of {lengths.mean():.0f} words (middle {np.median(lengths):.0f}, cut at "
        f"{LONGEST}), epoch 1 left out of the times, {asked.epochs} epochs, batches of "
        f"{CHOSEN.training.batch_size}"
    )


def reviews(scratch: Path, n: int) -> Part:
    """A part of `n` reviews to learn from and half as many to score."""
    settings = load("imdb").settings
    chain.clean(settings, Path(), scratch / "corpus", needs_label=True)
    frame = pl.read_parquet(scratch / "corpus" / "documents" / "*.parquet")
    chosen = np.sort(np.random.default_rng(0).permutation(len(frame))[: n + n // 2])
    documents = scratch / "documents.parquet"
    frame[chosen].write_parquet(documents)
    store.write(documents, TextSettings(), scratch / "tokens")
    order = np.random.default_rng(1).permutation(len(chosen))
    embedding = EmbeddingSettings(method="none", size=64, min_count=10)
    made = prepare(
        documents,
        scratch / "tokens",
        (np.sort(order[:n]), np.sort(order[n:])),
        None,
        embedding,
        HeadSettings(),
        scratch / "part",
    )
    return Part(made)


def trained(
    part: Part, epochs: int, seeds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of each epoch but the first, and the accuracy of each seed, by way."""
    ways = {
        "of similar lengths": similar,
        "padded to the longest of each": shuffled,
        "padded to the longest of all": longest,
    }
    seconds: dict[str, list[float]] = defaultdict(list)
    accuracies: dict[str, list[float]] = defaultdict(list)
    for seed in range(seeds):
        learners = {way: learner(make, part, seed) for way, make in ways.items()}
        for number in range(epochs):
            for way, (_, epoch) in learners.items():
                began = time.perf_counter()
                epoch()
                if number:
                    seconds[way].append(time.perf_counter() - began)
        for way, (network, _) in learners.items():
            outputs = answer(network, HEAD, part.validation, -1, LONGEST)
            accuracies[way].append(HEAD.metrics["accuracy"](part.validation.targets, outputs))
    return seconds, accuracies


Epochs = Callable[[], keras.utils.PyDataset | tuple[Array, Array]]
"""Gives the batches of the next epoch."""


def learner(
    make: Callable[[Examples, int], Epochs], part: Part, seed: int
) -> tuple[keras.Model, Callable[[], None]]:
    """A network, and what trains it for one epoch."""
    network = build(part, HEAD, CHOSEN, seed)
    network.compile(optimizer=keras.optimizers.AdamW(RATE), loss=HEAD.loss(CHOSEN))
    batches = make(part.training, seed)

    def epoch() -> None:
        given = batches()
        if isinstance(given, tuple):
            network.fit(*given, batch_size=CHOSEN.training.batch_size, verbose=0)
        else:
            network.fit(given, shuffle=False, verbose=0)

    return network, epoch


def similar(examples: Examples, seed: int) -> Epochs:
    """Ours."""
    batches = Batches(examples, HEAD.batching, -1, CHOSEN.training.batch_size, LONGEST, seed)
    return lambda: batches


def shuffled(examples: Examples, seed: int) -> Epochs:
    """Batches in random order, each padded as far as it needs."""
    batches = _Shuffled(examples, HEAD.batching, -1, CHOSEN.training.batch_size, LONGEST, seed)
    return lambda: batches


def longest(examples: Examples, seed: int) -> Epochs:
    """One array, shuffled by Keras."""
    documents = [examples.document(row, LONGEST) for row in range(len(examples))]
    everything = HEAD.batching.inputs(documents, -1, MULTIPLE)[TOKENS]
    keras.utils.set_random_seed(seed)
    return lambda: (everything, examples.targets)


class _Shuffled(Batches):
    def on_epoch_end(self) -> None:
        order = self.random.permutation(len(self.lengths))
        size = self.batch_size
        self.batches = [order[start : start + size] for start in range(0, len(order), size)]


if __name__ == "__main__":
    main()
