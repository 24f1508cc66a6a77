"""Small works below the shim, each done by a forked process: a fault costs milliseconds, not a run of the flow.

Run as a program with the shim preloaded; the table's points come out as JSON.
"""

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lslm import heads
from lslm.search.judge import Judge
from lslm.search.study import Study
from lslm.settings import Hyperparameters, Range, SearchSettings, SearchSpace
from lslm.workspace import Workspace
from tests.faults.shim import Action, Fault, Shim
from tests.faults.table import WELL, Point


def files(folder: Path) -> dict[str, str]:
    """Content-addressed files and small records; what the workspace holds after it."""
    workspace = Workspace(folder / "workspace").create()
    for name in ("tokens", "vectors"):
        with workspace.scratch() as scratch:
            (scratch / name).mkdir()
            for part in ("one", "two"):
                (scratch / name / part).write_text(f"{name} {part}", encoding="utf-8")
            handle = workspace.add(scratch / name)
        workspace.write_json(
            f"keys/toy/{name}.json", handle.model_dump(mode="json", exclude={"path"})
        )
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def study(folder: Path) -> list[tuple[int, str, dict[str, Any], float | None]]:
    """A search of three trials that are told by their parameters; all trials of the study after it."""
    goal, start = heads.get("classify").goal, Hyperparameters().replaced({"encoder.units": 8})
    space: SearchSpace = {
        "encoder.units": (8, 16),
        "training.learning_rate": Range(low=1e-4, high=0.1, log=True),
    }
    settings = SearchSettings.model_validate({"n_trials": 3})
    search = Study("toy", f"sqlite:///{folder / 'optuna.db'}", goal, settings, space, start, "toy")
    while ticket := search.ask():
        judge, rate = Judge(ticket), search.hyperparameters(ticket).training.learning_rate
        for epoch in (1, 2):
            judge.hear(epoch * rate, epoch)
        search.tell(ticket, 2 * rate, 2)
    return [(each.number, each.state.name, each.params, each.value) for each in search.study.trials]


WORKS: dict[str, Callable[[Path], Any]] = {"files": files, "study": study}


_FAULTS = (
    ("SIGKILL", Fault(Action.KILL_GROUP)),
    ("ENOSPC", Fault(Action.FAIL, error=errno.ENOSPC)),
    ("EIO", Fault(Action.FAIL, error=errno.EIO)),
)


def points(work: str, shim: Shim, home: Path, n_points: int) -> Iterator[Point]:
    """Faults in turn at calls spread over the work; after each, it is done again."""
    whole = done(work, shim, home / "whole", Fault(Action.COUNT))
    n_calls = shim.seen()
    for number in range(n_points):
        name, fault = _FAULTS[number % len(_FAULTS)]
        at, folder = 1 + (2 * number + 1) * n_calls // (2 * n_points), home / f"{number}"
        first = done(work, shim, folder, replace(fault, at=at))
        point = Point(shim.hit(), f"{name}, {work}", "failed" if first is None else "done")
        again = done(work, shim, folder, Fault(Action.COUNT))
        left = [str(path) for path in (*folder.rglob(".*"), *folder.glob("workspace/tmp/*"))]
        point.resumed = WELL if again == whole and not left else f"{again} {left}"
        yield point


def done(work: str, shim: Shim, folder: Path, fault: Fault) -> Any | None:
    """What the work comes to in a process of its own, in a group of its own; None where it came to nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    said = shim.log.with_name("said.json")
    said.unlink(missing_ok=True)
    shim.tell(fault)
    child = os.fork()
    if not child:
        os.setsid()
        try:
            said.write_text(json.dumps(WORKS[work](folder)), encoding="utf-8")
        except Exception:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
    return json.loads(said.read_text(encoding="utf-8")) if said.exists() else None


if __name__ == "__main__":
    _work, _n_points, *_paths = sys.argv[1:]
    _library, _home, _at = (Path(path) for path in _paths)
    _shim = Shim(_library, _home, _at)
    print(json.dumps([asdict(each) for each in points(_work, _shim, _home, int(_n_points))]))
