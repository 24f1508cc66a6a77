"""What rounding the weights of a served graph saves, and what it costs: bytes, milliseconds, answers.

    python -m benchmarks.rounding [--words 20000] [--vector-units 64] [--units 96]

Two networks with weights drawn at random, alone and together; 200 documents of 22 words one at a time, on one
thread, the ways interleaved. The time is the least of five medians. Random networks answer near one half, where
a label changes most easily: the shares are an upper guide, not those of a trained network.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import argparse
import os
import tempfile
import time
from functools import partial
from itertools import product
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import keras
import numpy as np
import onnxruntime
from rich.console import Console
from rich.table import Table

from lslm import heads
from lslm.encoder.encoder import encode
from lslm.heads.contract import Array
from lslm.serving.export import to_onnx
from lslm.settings import EncoderSettings, Hyperparameters

KINDS = ("float32", "float16", "int8")
DOCUMENTS, LENGTH, PASSES = 200, 22, 5
TARGETS = {"labels": ["negative", "positive"]}


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description="Rounded weights")
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--vector-units", type=int, default=64)
    parser.add_argument("--units", type=int, default=96)
    asked = parser.parse_args()
    vectors = np.random.default_rng(0).normal(size=(asked.words, asked.vector_units))
    settings = EncoderSettings(units=asked.units, tuned_words=3000)
    members = [network(vectors.astype(np.float32), settings, seed) for seed in (1, 2)]
    random = np.random.default_rng(0)
    documents = [random.integers(2, asked.words, (1, LENGTH), np.int32) for _ in range(DOCUMENTS)]
    with tempfile.TemporaryDirectory() as scratch:
        written = {
            (kind, n): write(members[:n], kind, Path(scratch) / f"{kind}-{n}.onnx")
            for kind, n in product(KINDS, (1, 2))
        }
        sessions = {key: opened(path) for key, path in written.items()}
        sizes = {key: path.stat().st_size / 1e6 for key, path in written.items()}
    medians = {key: [] for key in sessions}
    for _ in range(PASSES):
        for key, session in sessions.items():
            medians[key].append(np.median([timed(session, each) for each in documents]))
    answers = {key: np.concatenate([ask(s, d) for d in documents]) for key, s in sessions.items()}
    table = Table("stored", "members", "graph, MB", "ms", "largest difference", "labels changed")
    for (kind, n), found in answers.items():
        exact = answers["float32", n]
        changed = (found.argmax(1) != exact.argmax(1)).mean()
        difference = np.abs(found - exact).max()
        figures = (f"{sizes[kind, n]:.2f}", f"{min(medians[kind, n]):.2f}", f"{difference:.1e}")
        table.add_row(kind, str(n), *figures, f"{changed:.1%}")
    Console().print(table)


def network(vectors: Array, settings: EncoderSettings, seed: int) -> keras.Model:
    """A classifier with random weights."""
    encoder = partial(
        encode,
        n_words=len(vectors),
        size=vectors.shape[1],
        vectors=vectors,
        settings=settings,
        seed=seed,
    )
    model = heads.get("classify").build(encoder, TARGETS, Hyperparameters(encoder=settings))
    random = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(random.normal(scale=0.1, size=weight.shape))
    return model


def write(members: list[keras.Model], kind: str, path: Path) -> Path:
    """The graph's file."""
    to_onnx(members, path, kind)
    return path


def opened(path: Path) -> onnxruntime.InferenceSession:
    """On one thread, as it is served."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ask(session: onnxruntime.InferenceSession, tokens: Array) -> Array:
    """Outputs for one document, `(1, 2)`."""
    return np.asarray(session.run(["outputs"], {"tokens": tokens})[0])


def timed(session: onnxruntime.InferenceSession, tokens: Array) -> float:
    """Milliseconds of one answer."""
    began = time.perf_counter()
    ask(session, tokens)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
