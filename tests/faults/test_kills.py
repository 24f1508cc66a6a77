"""Wherever a run is killed or asked to stop, the same command comes to what it would have come to."""

import random
import signal
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Whole
from tests.faults.flow import Ended, Home, running, wrong
from tests.faults.shim import Action, Fault, Who
from tests.faults.table import POINTS, Point

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_HEARD = 40
"""Calls after which the command has its log, and hears signals."""
_KILLS = 11
"""In one workspace, one after the other, each at a later point of the flow."""


def positions(home: Home, whole: Whole, seed: int) -> Iterator[int]:
    """Numbers of calls: each run does again what every run does first, and goes on where the last one ended.

    Half of the calls after the tables are made copy the package that is registered. With small strides the
    points are among the stages before it, with large ones in it.
    """
    draws = random.Random(seed)
    stride = (whole.n_calls - whole.n_tables) / _KILLS * (0.2, 0.4, 1.0)[seed % 3]
    if seed % 2:
        yield draws.randint(_HEARD, whole.n_tables)
    for _ in range(_KILLS):
        tables = 0 if (home.workspace / "mlflow.db").exists() else whole.n_tables
        yield round(tables + _HEARD + draws.uniform(0, 2) * stride)


@pytest.mark.parametrize("seed", range(10))
def test_killed_anywhere(home: Home, whole: Whole, seed: int) -> None:
    points: list[Point] = []
    for at in positions(home, whole, seed):
        ended = home.run(Fault(Action.KILL_GROUP, at))
        if ended.status == 0:
            break
        assert ended.status == -signal.SIGKILL, ended.errors
        points.append(noted(home, "SIGKILL", ended))
    judged(home, whole, points)


@pytest.mark.parametrize("seed", range(100, 104))
def test_asked_to_stop_anywhere(home: Home, whole: Whole, seed: int) -> None:
    points: list[Point] = []
    for at in positions(home, whole, seed):
        ended = home.run(Fault(Action.TERMINATE, at))
        if ended.status == 0:
            break
        points.append(noted(home, "SIGTERM", ended))
        assert ended.status == 128 + signal.SIGTERM, ended.errors
        assert "running the same command goes on where it stopped" in ended.errors
        assert running(home) == []
    judged(home, whole, points)


@pytest.mark.parametrize("every", [7, 11, 13, 17])
def test_training_processes_killed_again_and_again(home: Home, whole: Whole, every: int) -> None:
    ended = home.run(
        Fault(Action.KILL_SELF, every, Who.TRAINING), "--set", "execution.worker_deaths=9"
    )
    points = [noted(home, "SIGKILL training", ended) for _ in range(home.shim.done())]
    assert points
    judged(home, whole, points, ended)


def noted(home: Home, what: str, ended: Ended) -> Point:
    point = Point(home.shim.hit(), what, str(ended.status))
    POINTS.append(point)
    return point


def judged(home: Home, whole: Whole, points: list[Point], ended: Ended | None = None) -> None:
    """Run to the end, and say at each point whether all is as it should be."""
    found = wrong(home, ended or home.run(), whole.outcome)
    for point in points:
        point.resumed = "; ".join(found) or "well"
    assert found == []
