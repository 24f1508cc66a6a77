"""What orchestration and tracking cost: 100 trivial tasks and 1,000 metrics, beside the default run.

    python -m benchmarks.overhead [--workspace .lslm] [--tasks 100] [--metrics 1000]

The tasks are stages as the flow `train` has them: a content key, a result kept on disk, a task run in
Prefect; the same functions are called plainly beside it. The flow starts Prefect's server for the time of the
run, as `lslm run` does where none is served, and that is told apart. The metrics go to MLflow on SQLite, in
batches as a run writes them, and one call a metric beside it. The share is of the wall time of the
last `rotten-tomatoes` run in the workspace (`make run`). Everything is new in a temporary folder.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lslm.cli.environment import prepare

PIPELINE = "rotten-tomatoes"


def main() -> None:
    """Measure each, print, and the share of them all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workspace", type=Path, default=Path(".lslm"))
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--metrics", type=int, default=1000)
    asked = parser.parse_args()
    whole = seconds_of_last_run(asked.workspace)
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch), use_servers=False)
        started, tasks, plain = timed_tasks(Path(scratch), asked.tasks)
        opened, batched, single = timed_metrics(Path(scratch), asked.metrics)
    spent = started + tasks - plain + opened + batched
    table = Table("what", "seconds", "share of the run", title="Overhead")
    for what, seconds in (
        ("Prefect's server starts", started),
        (f"{asked.tasks} tasks, called plainly", plain),
        (f"{asked.tasks} tasks as stages", tasks),
        ("MLflow's tables are made", opened),
        (f"{asked.metrics:,} metrics in batches", batched),
        (f"{asked.metrics:,} metrics, a call each (not done)", single),
        ("all that a run pays", spent),
    ):
        table.add_row(what, f"{seconds:.2f}", f"{seconds / whole:.2%}")
    Console().print(table, f"the default run took {whole:.0f} s in its stages")


def seconds_of_last_run(workspace: Path) -> float:
    """Wall time of the stages of the last default run."""
    from lslm.pipelines.loader import load
    from lslm.planning import last_report
    from lslm.workspace import Workspace

    report = last_report(load(PIPELINE).settings, Workspace(workspace))
    if report is None:
        raise SystemExit(f"no finished run of {PIPELINE} in {workspace}: `make run` first")
    return sum(report.seconds.values())


def timed_tasks(folder: Path, n_tasks: int) -> tuple[float, float, float]:
    """Seconds until the flow begins, of its tasks, and of the same functions without it."""
    from prefect import flow

    from lslm.settings import Settings
    from lslm.workspace import Workspace
    from tasks.stage import Run, stage

    settings = Settings(name="overhead", workspace=folder)
    Workspace(folder).create()
    run = Run(settings=settings, base=folder, run_id="none")

    def work(run: Run, number: int) -> int:
        return number * number

    trivial = stage("Trivial", modules=("lslm.settings",))(work)

    @flow(name="overhead")
    def hundred() -> float:
        began = time.perf_counter()
        assert [trivial(run, number) for number in range(n_tasks)][-1] == (n_tasks - 1) ** 2
        return time.perf_counter() - began

    began = time.perf_counter()
    tasks = hundred()
    before = time.perf_counter() - began - tasks
    plain = seconds(lambda: [work(run, number) for number in range(n_tasks)])
    return before, tasks, plain


def timed_metrics(folder: Path, n_metrics: int) -> tuple[float, float, float]:
    """Seconds to make the store, to log in batches, and to log one by one."""
    from lslm.settings import Settings
    from lslm.tracking import runs
    from lslm.tracking.store import connect
    from lslm.workspace import Workspace

    settings = Settings(name="overhead", workspace=folder)
    began = time.perf_counter()
    store = connect(settings, Workspace(folder))
    run = runs.open_run(store, settings, digests={}, name="overhead")
    opened = time.perf_counter() - began
    values = {f"metric_{number}": float(number) for number in range(n_metrics)}
    batched = seconds(lambda: runs.log_stage(store, run, "batched", values))
    single = seconds(
        lambda: [store.client.log_metric(run, name, value) for name, value in values.items()]
    )
    logged = store.client.get_run(run).data.metrics
    assert len(logged) == 2 * n_metrics, len(logged)
    return opened, batched, single


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
