"""The tinier pipeline that faults are put into, its servers, and what it must come to whatever happened."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lslm.cli.environment import DEFAULTS
from lslm.services.supervisor import free_port
from tests.faults.shim import Action, Fault, Shim
from tests.faults.warm import Forked, Warm
from tests.flows.tiny import environment, written

NAME = "tinier"
_PIPELINE = """
name: tinier
deterministic: true
corpus:
  sources: [{path: films.csv}]
split: {holdout: 0.2}
embedding: {size: 4, min_count: 1, epochs: 1}
encoder: {units: 4, bidirectional: false}
training: {epochs: 2, batch_size: 32, learning_rate: 0.01}
search:
  n_trials: 3
  space: {encoder.units: [4, 8]}
evaluation: {folds: 2, resamples: 50, curve: [], seeds: 1, explained: 4, baselines: [majority]}
execution: {workers: 1, retry_delay: 0.1}
"""
_PARTS = ("holdout", "cross_validation", "chosen", "model", "version")
_LONGEST = 300

Running = subprocess.Popen[str] | Forked
"""The command, at work."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    seconds: float
    said: str
    errors: str


@dataclass
class Home:
    """A person's folder: the pipeline, its data, a workspace, a folder for temporary files; watched by a shim."""

    folder: Path
    shim: Shim
    prefect: str
    temporary: Path
    """The system's temporary folder, for it; a path of sockets must be short."""
    warm: Warm | None = None
    """What runs are forked from; None: each loads the libraries anew."""

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def checkpoints(self) -> list[Path]:
        """What unfinished fits keep."""
        return list((self.workspace / "checkpoints").rglob("*.npz"))

    def run(self, fault: Fault | None = None, *options: str) -> Ended:
        """`lslm run`, in a process group of its own, with a fault in its way."""
        process, began = self.start(fault, *options), time.monotonic()
        try:
            said, errors = process.communicate(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            said, errors = process.communicate()
            errors += f"\nkilled after {_LONGEST} s"
        return Ended(process.returncode, time.monotonic() - began, said, errors)

    def start(self, fault: Fault | None, *options: str) -> "Running":
        self.shim.tell(fault or Fault(Action.COUNT))
        command = ("run", f"{NAME}.yaml", "--json", *options)
        if self.warm is not None:
            return self.warm.start(*command)
        return subprocess.Popen(
            [sys.executable, "-m", "lslm", *command],
            cwd=self.folder,
            env=self._variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def kept_warm(self) -> Iterator["Home"]:
        """In the block runs are forked from a process that has the libraries loaded."""
        self.warm = Warm(self.folder, self._variables(), self.shim.log.parent)
        try:
            yield self
        finally:
            self.warm.stop()
            self.warm = None

    def _variables(self) -> dict[str, str]:
        return {
            **environment(self.folder),
            **self.shim.variables,
            "PREFECT_API_URL": self.prefect,
            "TMPDIR": str(self.temporary),
        }

    def rows(self, database: str, query: str) -> list[tuple[Any, ...]]:
        file = self.workspace / database
        if not file.exists():
            return []
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(query).fetchall()


def made(folder: Path, library: Path, prefect: str) -> Home:
    """A fresh home below `folder`."""
    for name in ("home", "shim"):
        (folder / name).mkdir(parents=True)
    home = written(folder / "home", NAME, _PIPELINE)
    temporary = Path(tempfile.mkdtemp(prefix="t"))
    return Home(home, Shim(library, home, folder / "shim"), prefect, temporary)


def outcome(ended: Ended) -> dict[str, Any]:
    """What a finished run came to: the parts that every run with these seeds comes to."""
    report = json.loads(ended.said)
    return {part: report[part] for part in _PARTS}


def wrong(home: Home, ended: Ended, undisturbed: dict[str, Any], n_trials: int = 3) -> list[str]:
    """What is not as after an undisturbed run; nothing where all is well."""
    if ended.status:
        return [f"ended with {ended.status}: {ended.errors.strip()[-300:]}"]
    differing = [part for part, value in outcome(ended).items() if value != undisturbed[part]]
    return [
        *(f"{part} differs" for part in differing),
        *_trials(home, n_trials),
        *_runs(home, n_trials),
        *_states(home),
        *_left_over(home),
    ]


def running(home: Home) -> list[str]:
    """What is left RUNNING anywhere."""
    trials = home.rows("optuna.db", "SELECT trial_id FROM trials WHERE state = 'RUNNING'")
    runs = home.rows("mlflow.db", "SELECT run_uuid FROM runs WHERE status = 'RUNNING'")
    return [
        *(f"trial {trial}" for (trial,) in trials),
        *(f"MLflow run {run}" for (run,) in runs),
        *_states(home),
    ]


def _trials(home: Home, n_trials: int) -> Iterator[str]:
    states = Counter(state for (state,) in home.rows("optuna.db", "SELECT state FROM trials"))
    if states["COMPLETE"] + states["PRUNED"] != n_trials:
        yield f"Optuna has {dict(states)}"
    if states["RUNNING"] or states["WAITING"]:
        yield f"left in Optuna: {dict(states)}"


def _runs(home: Home, n_trials: int) -> Iterator[str]:
    alive = "lifecycle_stage = 'active'"
    child = "SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId'"
    parents = home.rows(
        "mlflow.db", f"SELECT status FROM runs WHERE {alive} AND run_uuid NOT IN ({child})"
    )
    if parents != [("FINISHED",)]:
        yield f"MLflow's runs are {parents}"
    trials = home.rows(
        "mlflow.db",
        "SELECT value, status FROM runs JOIN tags USING (run_uuid) "
        f"WHERE {alive} AND key = 'lslm.trial' AND run_uuid IN "
        "(SELECT run_uuid FROM tags WHERE key = 'lslm.state' AND value != 'failed')",
    )
    if len(trials) != n_trials or {status for _, status in trials} != {"FINISHED"}:
        yield f"MLflow's trials are {[(name.split('/')[-1], status) for name, status in trials]}"
    models = home.rows("mlflow.db", "SELECT status, lifecycle_stage FROM logged_models")
    if [status for status, stage in models if stage == "active"] != [2]:
        yield f"MLflow's models are {models}"
    if running := home.rows("mlflow.db", "SELECT run_uuid FROM runs WHERE status = 'RUNNING'"):
        yield f"left RUNNING in MLflow: {len(running)}"


def _states(home: Home) -> Iterator[str]:
    for kind in ("flow_runs", "task_runs"):
        # The server hears of the end of a task a little later.
        end = time.monotonic() + 15
        while (found := _unfinished(home, kind)) and time.monotonic() < end:
            time.sleep(0.5)
        if found:
            names = [f"{each['name']} {each['state_type']}" for each in found]
            yield f"left in Prefect: {names}"


def _unfinished(home: Home, kind: str) -> list[dict[str, Any]]:
    states = ["RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING"]
    asked = {kind: {"state": {"type": {"any_": states}}}}
    return httpx.post(f"{home.prefect}/{kind}/filter", json=asked, timeout=30).json()


def _left_over(home: Home) -> Iterator[str]:
    left = [
        *home.workspace.glob("tmp/*"),
        *home.workspace.glob("checkpoints/*/*"),
        *home.temporary.iterdir(),
        *(path for path in home.workspace.rglob(".*") if path.name != ".lock"),
    ]
    if left:
        yield f"left over: {[str(path) for path in left]}"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A Prefect server for the block; its address. To start one for each run would take most of the time."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)],
        env={**environment(folder), **DEFAULTS, "PREFECT_HOME": str(folder / "prefect")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        api, end = f"http://127.0.0.1:{port}/api", time.monotonic() + 180
        while not _answers(f"{api}/health"):
            assert process.poll() is None, "Prefect's server ended"
            assert time.monotonic() < end, "Prefect's server did not start"
            time.sleep(0.5)
        yield api
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.HTTPError:
        return False
