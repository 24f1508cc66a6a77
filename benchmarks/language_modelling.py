"""A language model of WikiText-2 in an hour, by the protocol of the field, and its speed beside PyTorch's.

    python -m benchmarks.language_modelling DATA [--minutes 60] [--threads 2] [--cache] [--dynamic 20000]
    python -m benchmarks.language_modelling DATA --only speed [--rounds 3]
    KERAS_BACKEND=jax python -m benchmarks.language_modelling DATA --gpu

DATA holds `wikitext2` (`train.txt.gz`, `valid.txt`, `test.txt`; 33,278 words). Each line ends with `<eos>`,
empty ones too; the text is one stream, and the state goes on through it. Test perplexity is of a word,
`<eos>` among them, against all words; it is read in 8 rows, so 7 of its 245,569 tokens have nothing before.

The time is the whole command's, from reading to the test's perplexity. The learning rate falls to zero with
the clock, at what scoring leaves of it; how long that takes is measured in the first minute. Now and then a
part of the validation text is scored. `--set size=400 encoder.units=512` tries other settings.

`--cache` and `--dynamic N` (of the first N tokens of the test, with plain reading of the same) come after it and
are told apart; what they set is chosen on validation text.

Speed is tokens a second of training, ours and the same model in PyTorch (`torch` is needed for this only), a
process each, by turns, on one thread and on two; it comes before, in time of its own.

`--gpu` has the sizes and dropouts of AWD-LSTM (Merity et al. 2018, 65.8) and trains for 750 epochs. The
optimizer is AdamW with a falling rate in place of averaged SGD, and the last layer is as wide as the others,
with a projection behind it.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import argparse
import math
import os
import time
from pathlib import Path
from typing import Any

from lslm.training import allocation, workers

BEGAN = time.perf_counter()
THREADS = "LSLM_BENCHMARK_THREADS"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
N_THREADS = os.environ.get(THREADS, "2")
for name in workers.THREADS:
    os.environ[name] = N_THREADS
allocation.keep_freed_memory()

import keras
import numpy as np

from benchmarks import language_modelling_speed
from benchmarks.wikitext import (
    CPU,
    GPU,
    TEST,
    TRAINING,
    VALIDATION,
    begin,
    compiled,
    ids_of,
    network_of,
    streams_of,
    vectors_of,
    vocabulary_of,
    words_of,
)
from lslm.heads.language_model import _dynamic, cache
from lslm.heads.language_model._reading import Read, Steady, read, with_state
from lslm.text.vocabulary import Ids
from lslm.training import running

SEED, SCORED_ROWS = 1, 8
PART = 20_000
"""Tokens of the validation text that are scored on the way."""
LOOKS = (1 / 60, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Shares of the time after which they are."""
SPARE = 1.5
"""Of the time that scoring is expected to take."""
WARMING = 0.02
"""Share of the time in which the learning rate rises."""
WINDOW, SEGMENT = 2000, 20
"""Tokens that a cache remembers, and that dynamic evaluation scores together."""


def main() -> None:
    """Time steps, then train and score."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=("training", "speed"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--cache", action="store_true")
    parser.add_argument("--dynamic", type=int, default=0, metavar="N")
    asked = parser.parse_args()
    given = dict(each.split("=") for each in asked.set)
    chosen = GPU if asked.gpu else CPU
    chosen = chosen | {name: as_given(chosen[name], value) for name, value in given.items()}
    aside = 0.0
    if asked.only != "training":
        before = time.perf_counter()
        language_modelling_speed.compare(asked.data, chosen, asked.rounds)
        aside = time.perf_counter() - before
    if asked.only != "speed":
        train(asked, chosen, BEGAN + aside)


def as_given(before: Any, value: str) -> Any:
    """A setting of the type that it had."""
    return value if isinstance(before, str) else type(before)(float(value))


def train(asked: argparse.Namespace, chosen: dict[str, Any], began: float) -> None:
    """Train, score the test once, and print; the time counts from `began`."""
    words = {part: words_of(asked.data, part) for part in (TRAINING, VALIDATION, TEST)}
    known = vocabulary_of(words[TRAINING])
    training, validation, test = (ids_of(known, each) for each in words.values())
    print(f"{len(training):,} + {len(validation):,} + {len(test):,} tokens, {len(known):,} ids")
    vectors = None
    if chosen["embedding.method"] == "word2vec":
        vectors = vectors_of(known, training, chosen["size"], int(N_THREADS))
        print(f"word vectors after {time.perf_counter() - began:.0f} s", flush=True)
    network = network_of(chosen, len(known), vectors)
    begin(network, training)
    print(", ".join(f"{name} {value}" for name, value in chosen.items()))
    print(f"{network.count_params():,} parameters, backend {keras.backend.backend()}", flush=True)
    reader, streams = with_state(network), streams_of(chosen, training, known.mark)
    if asked.gpu:
        epochs = chosen["training.epochs"]
        compiled(network, chosen, n_steps=epochs * len(streams))
        network.fit(streams, epochs=epochs, shuffle=False, verbose=2)
    else:
        # The rate is the clock's, not the schedule's.
        compiled(network, chosen | {"training.schedule": "constant"}, n_steps=1)
        end = began + 60 * asked.minutes
        per_batch = len(training) / len(streams)
        highest = chosen["training.learning_rate"]
        part, n_test = validation[:PART], len(test)
        clock = Clock(reader, part, known.mark, highest, began, end, per_batch, n_test)
        callbacks = [clock, running.MemoryKept()]
        network.fit(streams, epochs=10_000, shuffle=False, verbose=0, callbacks=callbacks)
    plain = read(reader, test, known.mark, SCORED_ROWS)
    minutes = (time.perf_counter() - began) / 60
    print(
        f"test perplexity {perplexity(plain.nats):.2f}, n = {len(test):,}, {minutes:.1f} min in all"
    )
    held_out = read(reader, validation, known.mark, SCORED_ROWS)
    print(f"validation perplexity {perplexity(held_out.nats):.2f}", flush=True)
    if asked.cache:
        with_cache(validation, held_out, test, plain)
    if asked.dynamic:
        dynamically(reader, training, validation, test[: asked.dynamic], known.mark)


def with_cache(validation: Ids, held_out: Read, test: Ids, plain: Read) -> None:
    """The same answers with a cache that was chosen on the validation text."""
    best = cache.chosen(held_out.nats, held_out.states, validation, WINDOW)
    nats = cache.costs(best, plain.nats, plain.states, test)
    print(f"apart: with {best}, test perplexity {perplexity(nats):.2f}", flush=True)


def dynamically(reader: Steady, training: Ids, validation: Ids, test: Ids, mark: int) -> None:
    """A part of the test while the network goes on learning, at a pace chosen on the validation text."""
    random = np.random.default_rng(SEED)
    starts = random.integers(0, len(training) - SEGMENT - 1, 200)
    batches = (training[None, start : start + SEGMENT + 1] for start in starts)
    roots = _dynamic.mean_roots(reader, batches)
    pace = _dynamic.chosen(reader, [validation[: len(test) // 4]], mark, roots, SEGMENT)
    before = read(reader, test, mark).nats
    (nats,) = _dynamic.dynamic_nats(reader, [test], mark, pace, roots, SEGMENT)
    print(
        f"apart: with {pace}, perplexity of the test's first {len(test):,} tokens "
        f"{perplexity(nats):.2f}, plain {perplexity(before):.2f}"
    )


def perplexity(nats: Any) -> float:
    """Of a token."""
    return math.exp(np.mean(nats, dtype=np.float64))


class Clock(keras.callbacks.Callback):
    """The learning rate by the clock, and a part of the validation text scored now and then.

    It goes from `began` to `end`, the scoring of `n_test` tokens included: what that takes is measured early on.
    """

    def __init__(
        self,
        reader: Steady,
        ids: Ids,
        mark: int,
        highest: float,
        began: float,
        end: float,
        per_batch: float,
        n_test: int,
    ) -> None:
        super().__init__()
        self.reader, self.ids, self.mark, self.highest = reader, ids, mark, highest
        self.per_batch, self.n_test = per_batch, n_test
        self.began, self.deadline = began, end
        self.looks = [began + (end - began) * share for share in LOOKS]
        self.n_batches, self.scoring = 0, 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        self.started = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        done = (time.perf_counter() - self.started) / (self.deadline - self.started)
        rising = min(1.0, (done + 1e-3) / WARMING)
        self.model.optimizer.learning_rate = self.highest * rising * max(0.0, 1 - done)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.n_batches += 1
        now = time.perf_counter()
        if self.looks and now > self.looks[0]:
            self.look(float((logs or {})["loss"]), now)
        if now > self.deadline:
            self.model.stop_training = True

    def look(self, loss: float, now: float) -> None:
        """Score a part and say how it goes."""
        self.looks.pop(0)
        if not self.scoring:
            # The first time also traces, and the deadline is for the second on.
            read(self.reader, self.ids, self.mark, SCORED_ROWS)
        began = time.perf_counter()
        nats = read(self.reader, self.ids, self.mark, SCORED_ROWS).nats
        took = time.perf_counter() - began
        if not self.scoring:
            self.deadline -= SPARE * took * self.n_test / len(self.ids)
        self.scoring += time.perf_counter() - now
        n_tokens = self.per_batch * self.n_batches
        speed = n_tokens / (time.perf_counter() - self.started - self.scoring)
        print(
            f"{(now - self.began) / 60:5.1f} min  {n_tokens / 1e6:6.2f} M tokens  {speed:6,.0f} tokens/s  "
            f"training {math.exp(loss):6.1f} over the epoch  validation, first {len(self.ids):,}: "
            f"{perplexity(nats):6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
