"""The trials of `benchmarks.search` by Ray Tune, as its users set it up for two cores.

    python -m benchmarks.ray_search JOB.json

Two trials at once in a process and on a thread each, Optuna's TPE, ASHA to stop what falls behind, arrays in
Ray's object store. Networks and padding are those of `benchmarks/plain_search.py`. The folds are tasks of
Ray, two at once as well.
"""
# ruff: noqa: E402  TensorFlow and OpenMP read the number of threads when they are imported.

import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "RAY_USAGE_STATS_ENABLED": "0"}

import numpy as np
import optuna
import psutil
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.plain_search import Corpus, Floats, Job, Side, build, fold_score, pretrained

N_AT_ONCE = 2


def train(
    values: dict[str, Any], job: Job, given: Side, held: Side, vectors: Floats, n_labels: int
) -> None:
    """One trial: an epoch, a report, and again."""
    import keras

    keras.utils.set_random_seed(job.seed)
    network = build(values, job, vectors, n_labels, len(given.labels))
    told = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, logs: tune.report({"accuracy": logs["val_accuracy"]})
    )
    network.fit(
        given.tokens,
        given.labels,
        validation_data=(held.tokens, held.labels),
        batch_size=job.batch_size,
        epochs=job.epochs,
        callbacks=[told],
        verbose=0,
    )


def space(trial: optuna.Trial, choices: dict[str, Any]) -> None:
    """Suggest a value for each name; Ray takes them from the trial."""
    for name, given in choices.items():
        if isinstance(given, dict):
            trial.suggest_float(name, **given)
        else:
            trial.suggest_categorical(name, given)


def spent_by_all() -> float:
    """Processor seconds of this process and of all that ever ran below it and were waited for."""
    ours = psutil.Process()
    return sum(sum(each.cpu_times()[:4]) for each in [ours, *ours.children(recursive=True)])


def main() -> None:
    """Search, cross-validate, write what came out."""
    job = Job.load(Path(sys.argv[1]))
    corpus = Corpus(job)
    ray.init(num_cpus=N_AT_ONCE, include_dashboard=False, log_to_driver=False)
    began, moment, spent = time.perf_counter(), time.time(), spent_by_all()
    words, vectors = pretrained(Path(job.vectors))
    sides = [corpus.side(rows, words) for rows in (job.training, job.validation)]
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_parameters(
                train,
                job=job,
                given=sides[0],
                held=sides[1],
                vectors=vectors,
                n_labels=corpus.n_labels,
            ),
            tune_config=tune.TuneConfig(
                metric="accuracy",
                mode="max",
                num_samples=job.n_trials,
                max_concurrent_trials=N_AT_ONCE,
                reuse_actors=False,
                search_alg=OptunaSearch(
                    partial(space, choices=job.space),
                    metric="accuracy",
                    mode="max",
                    points_to_evaluate=[job.start],
                    sampler=optuna.samplers.TPESampler(seed=job.seed),
                ),
                scheduler=ASHAScheduler(max_t=job.epochs, grace_period=1, reduction_factor=2),
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        results = tuner.fit()
    searched = time.perf_counter()
    histories = [result.metrics_dataframe for result in results]
    ended = sorted(
        (float(each["timestamp"].iloc[-1]) - moment, float(each["accuracy"].max()))
        for each in histories
        if each is not None
    )
    best = results.get_best_result(scope="all").config or {}
    fold = ray.remote(num_cpus=1)(fold_score)
    shared = ray.put(vectors)
    right = [
        fold.remote(job, corpus.side(given, words), corpus.side(held, words), shared, best)
        for given, held in job.folds
    ]
    accuracy = float(np.concatenate(ray.get(right)).mean())
    n_epochs = sum(len(each) for each in histories if each is not None)
    answer = {
        "search": searched - began,
        "folds": time.perf_counter() - searched,
        "processor": spent_by_all() - spent,
        "curve": [{"seconds": seconds, "value": value} for seconds, value in ended],
        "n_trials": len(ended),
        "accuracy": accuracy,
        "best": best,
        "note": f"{n_epochs} epochs in all, {results.num_errors} errors",
    }
    Path(job.answer).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
