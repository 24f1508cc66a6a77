"""What Optuna's storage takes: trials a second by several clients at once, in a study that is already long.

    python -m benchmarks.storage [--url URL] [--proxy] [--clients 1 2 4] [--before 1000] [--seconds 8]
    python -m benchmarks.storage --count

Each client is a process that does what a trial of `lslm` does, but trains nothing: it asks TPE for six
values, reports four epochs and asks whether to stop, and tells the result. The study holds finished trials
before it begins, since TPE reads them all. Without a URL it is an SQLite file in a temporary folder, with the
write-ahead log on. `--proxy` puts Optuna's gRPC proxy before the database. Server and clients share the machine.
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

N_VALUES, N_EPOCHS = 6, 4
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
    table = Table("clients", "trials/s", "ask ms", "report ms", "tell ms", "client's CPU ms")
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
        study = studied(optuna.storages.RDBStorage(url), filled(url, 12), seed=0)
        study.ask()
        counts.clear()
        trial = asked_for(study)
        print("ask", dict(counts))
        for epoch in range(N_EPOCHS):
            counts.clear()
            trial.report(0.5, epoch)
            trial.should_prune()
        print("report", dict(counts))
        counts.clear()
        study.tell(trial, 0.5)
        print("tell", dict(counts))


def sqlite(path: Path) -> str:
    """Address of a new file with the write-ahead log on."""
    with create_engine(f"sqlite:///{path}").connect() as line:
        line.execute(text("PRAGMA journal_mode=WAL"))
    return f"sqlite:///{path}"


@contextmanager
def served(url: str, proxy: bool) -> Iterator[str]:
    """The address clients use: the database itself, or a proxy before it."""
    optuna.storages.RDBStorage(url)
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
    storage = optuna.storages.get_storage(url)
    optuna.storages.run_grpc_proxy_server(storage, host="127.0.0.1", port=port)


def opened(address: str) -> optuna.storages.BaseStorage:
    """The storage behind an address, ready to answer."""
    if not address.startswith("grpc://"):
        return optuna.storages.RDBStorage(address)
    host, port = address.removeprefix("grpc://").split(":")
    storage = optuna.storages.GrpcStorageProxy(host=host, port=int(port))
    storage.wait_server_ready(timeout=60)
    return storage


def filled(url: str, n_trials: int) -> str:
    """Name of a new study with finished trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    random = np.random.default_rng(0)
    ranges = {f"x{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(N_VALUES)}
    study = optuna.create_study(study_name=uuid4().hex, storage=url, direction="maximize")
    study.add_trials(
        [
            optuna.create_trial(
                params={name: float(random.random()) for name in ranges},
                distributions=ranges,
                value=float(random.random()),
                intermediate_values=dict.fromkeys(range(N_EPOCHS), 0.5),
            )
            for _ in range(n_trials)
        ]
    )
    return study.study_name


def studied(storage: optuna.storages.BaseStorage, name: str, seed: int) -> optuna.Study:
    """The study as a client has it."""
    return optuna.load_study(
        study_name=name,
        storage=storage,
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=N_EPOCHS),
    )


def asked_for(study: optuna.Study) -> optuna.Trial:
    """A new trial, its values chosen."""
    trial = study.ask()
    for i in range(N_VALUES):
        trial.suggest_float(f"x{i}", 0, 1)
    return trial


def client(address: str, name: str, seconds: float, seed: int) -> list[tuple[float, ...]]:
    """Seconds to ask, to report once, to tell, and of the processor, of each trial until the time is up."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = studied(opened(address), name, seed)
    done: list[tuple[float, ...]] = []
    study.ask()  # Reads the trials that are there; a client does so once.
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        spent = time.process_time()
        trial = asked_for(study)
        asked = time.perf_counter()
        for epoch in range(N_EPOCHS):
            trial.report(0.5, epoch)
            trial.should_prune()
        reported = time.perf_counter()
        study.tell(trial, 0.5)
        told = time.perf_counter()
        spent = time.process_time() - spent
        done.append((asked - began, (reported - asked) / N_EPOCHS, told - reported, spent))
    return done


if __name__ == "__main__":
    main()
