"""What Optuna's storage takes: trials a second by several clients at once, in a study that is already long.

    python -m benchmarks.storage [--url URL] [--proxy] [--clients 1 2 4] [--before 1000] [--seconds 8]
    python -m benchmarks.storage --count

Each client is a process that searches by the classes that a search of `lslm` does, `Study` and `Judge`, but trains
nothing: it asks TPE for six values, judges four epochs, and tells the result. The study holds finished trials
before it begins, since TPE reads them all. Without a URL it is an SQLite file in a temporary folder, with the
write-ahead log on. `--proxy` puts Optuna's gRPC proxy before the database. Server and clients share the machine.
In `lslm run` one process asks and tells; where trials run in processes of a cluster, each of those judges its own.
"""

import argparse
import multiprocessing
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import optuna
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from lslm.heads.contract import Goal
from lslm.search import space as spaces
from lslm.search import storage
from lslm.search.chosen import EPOCHS
from lslm.search.judge import Judge, Ticket
from lslm.search.study import Study
from lslm.settings import Hyperparameters, SearchSettings

N_EPOCHS = 4
SPACE = {
    name: spaces.DEFAULT[name]
    for name in (
        "encoder.cell",
        "encoder.units",
        "encoder.spatial_dropout",
        "encoder.recurrent_dropout",
        "training.learning_rate",
        "training.weight_decay",
    )
}
"""Six values."""
CONTEXT = multiprocessing.get_context("spawn")


def main() -> None:
    """Fill a study, let clients loose on it, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url")
    parser.add_argument("--proxy", action="store_true")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--before", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--count", action="store_true", help="the statements of a trial, no times")
    asked = parser.parse_args()
    if asked.count:
        print_statements()
        return
    table = Table(
        "clients", "trials/s", "ask ms", "judge ms", "report ms", "tell ms", "client's CPU ms"
    )
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or sqlite(Path(folder) / "optuna.db")
        with served(url, asked.proxy) as address:
            name = filled(url, asked.before)
            for n_clients in asked.clients:
                with ProcessPoolExecutor(n_clients, mp_context=CONTEXT) as pool:
                    works = [
                        pool.submit(client, address, name, asked.seconds, seed)
                        for seed in range(n_clients)
                    ]
                    done = [each.result() for each in works]
                rate = sum(len(each) for each in done) / asked.seconds
                times = 1e3 * np.median(np.concatenate(done), axis=0)
                told = (f"{value:.1f}" for value in times)
                table.add_row(str(n_clients), f"{rate:.1f}", *told)
    Console().print(table, f"{asked.before} trials before; the middle of each time")


def print_statements() -> None:
    """What each step of one trial asks an SQLite database for, with a dozen trials before it."""
    counts: Counter[str] = Counter()

    @event.listens_for(Engine, "before_cursor_execute")
    def executed(_line: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counts["reads" if statement.lstrip().upper().startswith("SELECT") else "writes"] += 1

    @event.listens_for(Engine, "commit")
    def committed(_line: Any) -> None:
        counts["commits"] += 1

    with tempfile.TemporaryDirectory() as folder:
        url = sqlite(Path(folder) / "optuna.db")
        study = studied(url, filled(url, 12), seed=0)
        asked_for(study)
        counts.clear()
        ticket = asked_for(study)
        print("ask", dict(counts))
        counts.clear()
        judge = Judge(ticket)
        print("open the study to judge", dict(counts))
        for epoch in range(1, N_EPOCHS + 1):
            counts.clear()
            judge.hear(0.5, epoch)
        print("report", dict(counts))
        counts.clear()
        tell(study, ticket)
        print("tell", dict(counts))


def sqlite(path: Path) -> str:
    """Address of a new file with the write-ahead log on."""
    with create_engine(f"sqlite:///{path}").connect() as line:
        line.execute(text("PRAGMA journal_mode=WAL"))
    return f"sqlite:///{path}"


@contextmanager
def served(url: str, proxy: bool) -> Iterator[str]:
    """The address clients use: the database itself, or a proxy before it."""
    storage.opened(url)
    if not proxy:
        yield url
        return
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = CONTEXT.Process(target=serve, args=(url, port), daemon=True)
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.join()


def serve(url: str, port: int) -> None:
    """Optuna's proxy, until ended; without the cache around a database it would read every trial at each call."""
    database = optuna.storages.get_storage(url)
    optuna.storages.run_grpc_proxy_server(database, host="127.0.0.1", port=port)


def filled(url: str, n_trials: int) -> str:
    """Name of a new study with finished trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    random = np.random.default_rng(0)
    drawn = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(n_trials):
        trial = drawn.ask()
        spaces.suggest(trial, SPACE)
        for epoch in range(1, N_EPOCHS + 1):
            trial.report(0.5, epoch)
        trial.set_user_attr(EPOCHS, N_EPOCHS)
        drawn.tell(trial, float(random.random()))
    study = optuna.create_study(
        study_name=uuid4().hex, storage=storage.opened(url), direction="maximize"
    )
    study.add_trials(drawn.trials)
    return study.study_name


def studied(address: str, name: str, seed: int) -> Study:
    """The study as a search has it; more trials are wanted of it than there will be."""
    settings = SearchSettings(n_trials=1_000_000, sampler="tpe", pruner="median", seed=seed)
    base = Hyperparameters().replaced({"training.epochs": N_EPOCHS})
    return Study(name, address, Goal("accuracy", "maximize"), settings, SPACE, base)


def asked_for(study: Study) -> Ticket:
    """A new trial, its values chosen."""
    ticket = study.ask()
    assert ticket is not None
    study.hyperparameters(ticket)
    return ticket


def tell(study: Study, ticket: Ticket) -> None:
    """The end of a trial, and what a search shows after it."""
    study.tell(ticket, 0.5, N_EPOCHS)
    study.n_left()
    study.best_so_far()


def client(address: str, name: str, seconds: float, seed: int) -> list[tuple[float, ...]]:
    """Seconds to ask, to open the study for the judge, to report once, to tell, and of the processor.

    One row for each trial until the time is up.
    """
    study = studied(address, name, seed)
    done: list[tuple[float, ...]] = []
    tell(study, asked_for(study))  # Reads the trials that are there; a client does so once.
    with study.alive():
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            spent = time.process_time()
            ticket = asked_for(study)
            asked = time.perf_counter()
            judge = Judge(ticket)
            opened = time.perf_counter()
            for epoch in range(1, N_EPOCHS + 1):
                judge.hear(0.5, epoch)
            reported = time.perf_counter()
            tell(study, ticket)
            told = time.perf_counter()
            spent = time.process_time() - spent
            report = (reported - opened) / N_EPOCHS
            done.append((asked - began, opened - asked, report, told - reported, spent))
    return done


if __name__ == "__main__":
    main()
