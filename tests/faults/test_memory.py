"""Training processes that get no more memory delay a run and change nothing."""

import time
from contextlib import suppress

import psutil
import pytest

from tests.faults.conftest import Whole
from tests.faults.flow import Ended, Home
from tests.faults.table import POINTS, Point
from tests.faults.test_kills import judged
from tests.flows.tiny import fitting

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_training_processes_that_get_no_more_memory(home: Home, whole: Whole) -> None:
    began, process, starved = time.monotonic(), home.start(None), list[psutil.Process]()
    while process.poll() is None:
        time.sleep(0.02)
        if len(starved) < 2 and home.checkpoints() and (one := fitting(process.pid)):
            with suppress(psutil.NoSuchProcess):
                size = one.memory_info().vms
                one.rlimit(psutil.RLIMIT_AS, (size, size))
                starved.append(one)
                psutil.wait_procs([one], timeout=60)
                assert not one.is_running(), "a process whose memory is bounded goes on"
    said, errors = process.communicate()
    ended = Ended(process.returncode, time.monotonic() - began, said, errors)
    points = [Point("training process", "no memory", str(ended.status)) for _ in starved]
    POINTS.extend(points)
    assert len(points) == 2
    judged(home, whole, points, ended)
