"""Wherever a run is killed or asked to stop, the same command comes to what it would have come to."""

import json
import random
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.conftest import Whole
from tests.faults.flow import Ended, Home, running, wrong
from tests.faults.shim import Action, Fault, Who
from tests.faults.table import POINTS, WELL, Point

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_HEARD = 40
"""Calls after which the command has its log, and hears signals."""


def positions(whole: Whole, seed: int, n_points: int) -> Iterator[int]:
    """Numbers of calls at which runs in one workspace end, one after the other, each at a later point of the flow.

    The points lie in stages that are drawn, and at places in them that are. What is finished is not done again:
    after what every run does first, a run goes on where the stage begins that the last one ended in.
    """
    draws, before = random.Random(seed), 0
    if seed % 2:
        yield draws.randint(_HEARD, whole.n_tables)
    for stretch in sorted(draws.sample(range(len(whole.stretches)), n_points)):
        resumed, places = whole.stretches[stretch]
        yield 1 + draws.choice(draws.choice(places)) - before
        before = resumed - whole.n_first


def ended_early(
    home: Home, whole: Whole, fault: Fault, what: str, seed: int, n_points: int
) -> Iterator[tuple[Point, Ended]]:
    """Runs that end at points of the flow, until one comes through before its point."""
    for at in positions(whole, seed, n_points):
        ended = home.run(replace(fault, at=at))
        if ended.status == 0:
            return
        yield noted(home, what, ended), ended


@pytest.mark.parametrize("seed", range(10))
def test_killed_anywhere(warm: Home, whole: Whole, seed: int) -> None:
    points: list[Point] = []
    for point, ended in ended_early(warm, whole, Fault(Action.KILL_GROUP), "SIGKILL", seed, 12):
        points.append(point)
        assert ended.status == -signal.SIGKILL, ended.errors
    assert len(points) >= 10
    judged(warm, whole, points)


@pytest.mark.parametrize("seed", range(100, 104))
def test_asked_to_stop_anywhere(warm: Home, whole: Whole, seed: int) -> None:
    points: list[Point] = []
    for point, ended in ended_early(warm, whole, Fault(Action.TERMINATE), "SIGTERM", seed, 9):
        points.append(point)
        assert running(warm) == []
        if ended.status == -signal.SIGTERM:
            # Databases are closed last. The report is told by then, and the signal has nothing to stop.
            assert json.loads(ended.said)["version"] == "1", ended.errors
            continue
        assert ended.status == 128 + signal.SIGTERM, ended.errors
        assert "running the same command goes on where it stopped" in ended.errors
    assert len(points) >= 8
    judged(warm, whole, points)


# A stage begins anew where its process died, and the one that fits and assembles takes about 60 calls.
@pytest.mark.parametrize("every", [67, 71, 73, 79])
def test_training_processes_killed_again_and_again(home: Home, whole: Whole, every: int) -> None:
    patient = ("--set", "execution.worker_deaths=9", "--set", "execution.retries=3")
    ended = home.run(Fault(Action.KILL_SELF, every, Who.TRAINING), *patient)
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
        point.resumed = "; ".join(found) or WELL
    assert found == []
