"""The same pipeline on a Dask and on a Ray cluster with PostgreSQL comes to the same, also where a worker dies."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from lslm.services import databases, state
from lslm.services.supervisor import free_port
from lslm.workspace import Workspace
from tests.flows.tiny import environment, lslm, written
from tests.services.real import skip_without, up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TWO = ("--set", "execution.workers=2")
"""At once: the trials go in waves of two, wherever they run."""
SAME = ("holdout", "cross_validation", "chosen")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = written(tmp_path_factory.mktemp("alone"))
    return report(lslm("run", "tiny.yaml", "--json", *TWO, home=home), home)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A folder with the pipeline, and servers on PostgreSQL."""
    skip_without("--postgres")
    home = written(tmp_path)
    up(home, "--postgres")
    yield home
    lslm("down", home=home)


@contextmanager
def dask(home: Path) -> Iterator[tuple[str, Callable[[], list[psutil.Process]]]]:
    """A scheduler and two workers, each a command of its own; the address, and what finds the workers."""
    pytest.importorskip("prefect_dask")
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler = started(home, "dask", "scheduler", "--host", address, "--no-dashboard")
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(home))
    workers = [started(home, "dask", "worker", address, *options) for _ in range(2)]
    try:
        yield address, lambda: [each for each in workers if each.poll() is None]
    finally:
        ended([*workers, scheduler])


@contextmanager
def ray(home: Path) -> Iterator[tuple[str, Callable[[], list[psutil.Process]]]]:
    """A head with room for two worker processes; the address, and what finds those at work."""
    pytest.importorskip("prefect_ray")
    port = free_port()
    # The names of Ray's sockets begin with it, and may not be long.
    short = tempfile.mkdtemp(prefix="ray")
    head = started(
        home,
        *("ray", "start", "--head", "--block", "--num-cpus", "2", "--port", str(port)),
        *("--include-dashboard", "false", "--node-ip-address", "127.0.0.1"),
        *("--temp-dir", short),
    )
    try:
        until(lambda: listens(port) or head.poll() is not None, "Ray never listened")
        assert head.poll() is None, (home / "cluster.log").read_text()[-2000:]
        yield (
            f"127.0.0.1:{port}",
            lambda: [
                each
                for each in psutil.Process(head.pid).children(recursive=True)
                if (title := "".join(each.cmdline()[:1])).startswith("ray::")
                and not title.endswith(("IDLE", "Agent"))
            ],
        )
    finally:
        ended([head])
        shutil.rmtree(short, ignore_errors=True)


@pytest.mark.parametrize("cluster", [dask, ray])
@pytest.mark.parametrize("dies", [False, True], ids=["whole", "bereaved"])
def test_a_cluster_comes_to_what_one_machine_comes_to(
    cluster: Any, dies: bool, served: Path, undisturbed: dict[str, Any]
) -> None:
    with cluster(served) as (address, at_work):
        runner = ("--set", f"execution.runner={cluster.__name__}")
        process = started(
            served,
            *(sys.executable, "-m", "lslm", "run", "tiny.yaml", "--json", *TWO, *runner),
            *("--set", f"execution.address={address}"),
            stdout=subprocess.PIPE,
        )
        if dies:
            fits = served / "workspace" / "checkpoints"
            until(lambda: process.poll() is not None or list(fits.rglob("*.npz")), "no fit began")
            until(lambda: process.poll() is not None or at_work(), "no worker is at work")
            os.kill(at_work()[0].pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=1200)
    log = (served / "workspace" / "lslm.log").read_text()
    assert process.returncode == 0, log[-4000:]
    found = json.loads(said)
    assert {part: found[part] for part in SAME} == {part: undisturbed[part] for part in SAME}
    assert not list((served / "workspace" / "tmp").iterdir())

    on = state.read(Workspace(served / "workspace")).database
    states = [name for (name,) in databases.rows(on.study, "SELECT state::text FROM trials")]
    assert Counter(states) == {"COMPLETE": 2}
    kinds = {name for (name,) in databases.rows(on.mlflow, "SELECT status FROM runs")}
    assert kinds == {"FINISHED"}
    for kind in ("flow", "task"):
        rows = databases.rows(on.prefect, f"SELECT state_type::text FROM {kind}_run")
        assert not {"RUNNING", "PENDING"} & {name for (name,) in rows}


def report(done: "subprocess.CompletedProcess[str]", home: Path) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr + (home / "workspace" / "lslm.log").read_text()
    return json.loads(done.stdout)


def started(home: Path, *command: str, stdout: int | None = None) -> "subprocess.Popen[bytes]":
    """A command in a group of its own, what it says in a file beside the workspace."""
    with (home / "cluster.log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=home,
            env=environment(home),
            stdout=log if stdout is None else stdout,
            stderr=log,
            start_new_session=True,
        )


def ended(processes: "list[subprocess.Popen[bytes]]") -> None:
    """The commands and everything below them are gone."""
    for process in processes:
        family = (
            [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
            if (process.poll() is None)
            else []
        )
        for each in family:
            with_nothing_left(each)
        process.wait(30)


def with_nothing_left(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def listens(port: int) -> bool:
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex(("127.0.0.1", port)) == 0


def until(there: Callable[[], Any], otherwise: str, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)
