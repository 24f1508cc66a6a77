"""How near `lslm plan --cost` comes: predict in a fresh workspace, run the pipeline there, compare.

    python -m benchmarks.cost [rotten-tomatoes docstrings] [--set NAME=VALUE] [--workspace DIR]

For each stage: predicted and measured seconds, processor time first, since another's work on the machine
disturbs it least, and their ratio. A workspace that is given is kept; one that holds the pipeline's run
already is only compared, with the calibration that was made before it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lslm.cli.environment import prepare

SHIPPED = ("rotten-tomatoes", "docstrings")


def main() -> None:
    """Predict, run and compare each pipeline."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pipelines", nargs="*", default=list(SHIPPED))
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--workspace", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name in asked.pipelines:
            folder = asked.workspace or Path(scratch) / name
            prepare(folder, use_servers=False)
            compare(name, asked.overrides, folder.absolute())


def compare(name: str, overrides: list[str], folder: Path) -> None:
    """One pipeline: print what was predicted and what it took."""
    from lslm.costing.estimate import START, forecast
    from lslm.pipelines.loader import load
    from lslm.workspace import Workspace

    loaded = load(name, [*overrides, f"workspace={folder}"])
    home = Workspace(folder).create()
    predicted = forecast(loaded.settings, loaded.base, home)
    keys = home.root / "keys" / loaded.settings.name
    wall = None if keys.exists() else run(name, overrides, folder)
    stages = {stage: home.read_json(f"keys/{keys.name}/{stage}.json") for stage in predicted}
    columns = ("stage", "CPU predicted", "CPU", "ratio", "time predicted", "time", "ratio")
    table = Table(*columns, title=name)
    sums = [0.0] * 4
    for stage, work in predicted.items():
        if stage == START or not stages[stage]:
            continue
        figures = (work.cpu, stages[stage]["cpu_seconds"], work.wall, stages[stage]["seconds"])
        sums = [a + b for a, b in zip(sums, figures, strict=True)]
        table.add_row(stage, *row(*figures))
    table.add_row("all stages", *row(*sums))
    if wall is not None:
        start = predicted[START].wall
        table.add_row("start", "", "", "", *pair(start, wall - sums[3]))
        table.add_row("in all", "", "", "", *pair(sums[2] + start, wall))
    Console(width=120).print(table)


def row(cpu: float, cpu_took: float, wall: float, wall_took: float) -> Iterator[str]:
    """Cells of both kinds of time."""
    yield from pair(cpu, cpu_took)
    yield from pair(wall, wall_took)


def pair(predicted: float, took: float) -> Iterator[str]:
    """Predicted, measured, and how many times the measured was predicted."""
    yield f"{predicted:.1f}"
    yield f"{took:.1f}"
    yield f"{predicted / took:.2f}" if took else ""


def run(name: str, overrides: list[str], folder: Path) -> float:
    """Wall time of the whole command."""
    given = [part for each in overrides for part in ("--set", each)]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "lslm", "run", name, "--workspace", str(folder), *given],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
