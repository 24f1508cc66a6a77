"""Latency of the served graph beside Keras's own ways to answer, one thread each, interleaved.

    python -m benchmarks.serving [--units 128] [--members 1] [--rounds 40]

Prints p50 and p99 in milliseconds at batch 1 with 30 tokens and at batch 64 with 200, the least CPU
time (which other programs on the machine disturb less), and what the model folder weighs. Words are
random: nothing here depends on what was learned.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from lslm import heads
from lslm.encoder.encoder import encode
from lslm.heads.contract import Array
from lslm.serving.model_files import save
from lslm.serving.predictor import Predictor
from lslm.settings import (
    CleaningSettings,
    EncoderSettings,
    HeadSettings,
    Hyperparameters,
    TextSettings,
)
from lslm.text.vocabulary import Vocabulary

N_WORDS, SIZE = 30_000, 200
SHAPES = ((1, 30), (64, 200))
TARGETS = {"labels": ["negative", "positive"]}
WARMING = 3


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description="Latency of a served model")
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    random = np.random.default_rng(0)
    vocabulary = Vocabulary(("<pad>", "<unk>", *(f"w{i}" for i in range(2, N_WORDS))))
    vectors = random.normal(size=(N_WORDS, SIZE)).astype(np.float32)
    hyperparameters = Hyperparameters(encoder=EncoderSettings(units=asked.units))
    members = [network(vectors, hyperparameters, seed) for seed in range(asked.members)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        saving, _ = timed(lambda: write(folder, members, vocabulary, hyperparameters))
        loading, _ = timed(lambda: Predictor.load(folder))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f}" for path in files)
        predictor = Predictor.load(folder)
    table = Table("batch", "tokens", "way", "p50 ms", "p99 ms", "CPU ms", title="One thread")
    for n_documents, n_tokens in SHAPES:
        ids = random.integers(2, N_WORDS, (n_documents, n_tokens)).astype(np.int32)
        ways = ways_to_answer(predictor, members, vocabulary, ids)
        for way, times in interleaved(ways, asked.rounds).items():
            wall, cpu = np.array(times).T * 1e3
            numbers = (*np.percentile(wall, [50, 99]), cpu.min())
            shown = (f"{number:.2f}" for number in numbers)
            table.add_row(str(n_documents), str(n_tokens), way, *shown)
    console = Console()
    console.print(table)
    console.print(f"saved in {saving:.2f} s, loaded in {loading:.2f} s; MB: {sizes}")


def network(vectors: Array, hyperparameters: Hyperparameters, seed: int) -> keras.Model:
    """A classifier with random weights."""
    encoder = partial(
        encode,
        n_words=N_WORDS,
        size=SIZE,
        vectors=vectors,
        settings=hyperparameters.encoder,
        seed=seed,
    )
    return heads.get("classify").build(encoder, TARGETS, hyperparameters)


def write(
    folder: Path,
    members: Sequence[keras.Model],
    vocabulary: Vocabulary,
    hyperparameters: Hyperparameters,
) -> None:
    """The model folder."""
    save(
        folder,
        members,
        vocabulary,
        head=HeadSettings(),
        targets=TARGETS,
        text=TextSettings(),
        cleaning=CleaningSettings(),
        hyperparameters=hyperparameters,
        name="benchmark",
        seen=np.zeros(0, np.uint64),
    )


def ways_to_answer(
    predictor: Predictor, members: Sequence[keras.Model], vocabulary: Vocabulary, ids: Array
) -> dict[str, Callable[[], object]]:
    """Ours starts from text, the others from ids: cleaning and tokens are on our bill alone."""
    texts = [" ".join(vocabulary.words[i] for i in row) for row in ids]
    return {
        "Predictor, from text": lambda: predictor.outputs(texts),
        "Keras, compiled call": lambda: np.mean(
            [member.predict_on_batch(ids) for member in members], axis=0
        ),
        "keras.Model.predict": lambda: np.mean(
            [member.predict(ids, verbose=0) for member in members], axis=0
        ),
    }


def interleaved(
    ways: dict[str, Callable[[], object]], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of each way, one call of each in turn, so that a slow moment hits all alike."""
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(rounds + WARMING):
        for way, answer in ways.items():
            taken = timed(answer)
            if number >= WARMING:
                times[way].append(taken)
    return times


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
