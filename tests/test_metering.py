"""The cost of a block counts the processes below it."""

import subprocess
import sys
import time

from lslm.metering import measured

BUSY = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
LARGE = "import time; held = bytearray(150_000_000); time.sleep(2.5)"

ALONE = """
import subprocess, sys
from lslm.metering import measured
with measured() as without:
    pass
with measured() as cost:
    subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
print(cost.peak_mb - without.peak_mb)
"""


def test_time_is_wall_time() -> None:
    with measured() as cost:
        time.sleep(0.2)
    assert 0.2 <= cost.seconds < 2.0
    assert cost.cpu_seconds < 0.2


def test_work_of_a_child_that_ended_is_counted() -> None:
    with measured() as cost:
        subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert cost.cpu_seconds >= 0.45


def test_memory_of_a_child_that_ended_is_counted() -> None:
    # In a process of its own: what other tests left running may end meanwhile.
    done = subprocess.run(
        [sys.executable, "-c", ALONE, LARGE], check=True, capture_output=True, text=True
    )
    assert float(done.stdout) >= 140


def test_meters_inside_each_other_look_once(monkeypatch) -> None:
    from lslm import metering

    looks: list[float] = []
    monkeypatch.setattr(metering, "_looks", metering._Looks())
    monkeypatch.setattr(metering, "_memory", lambda: looks.append(time.monotonic()) or 1)
    with measured(), measured(), measured():
        time.sleep(2.2)
    assert 2 <= len(looks) <= 6


def test_what_the_system_tells_of_a_process_is_near_its_resident_memory() -> None:
    import os

    import psutil

    from lslm.metering import _split_memory

    told, resident = _split_memory(os.getpid()), psutil.Process().memory_info().rss
    assert told == 0 or 0.2 * resident < told < 1.1 * resident
