"""Whatever write, sync or rename fails, and when the disk is full, the same command succeeds once it can."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Whole
from tests.faults.flow import Home
from tests.faults.shim import Action, Fault
from tests.faults.table import POINTS, Point
from tests.faults.test_kills import judged, noted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

_RUNS = 150
"""More than it takes until nothing fails any more."""
_TRIED_AGAIN = ("--set", "execution.retries=40")


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_each_kind_of_call_fails_once(warm: Home, whole: Whole, error: int) -> None:
    fault, points, n_seen = Fault(Action.FAIL_EACH, error=error), [], 0
    for _ in range(_RUNS):
        ended = warm.run(fault, *_TRIED_AGAIN)
        failed = warm.shim.log.read_text().splitlines()[n_seen:] if warm.shim.log.exists() else []
        n_seen += len(failed)
        for call in failed:
            where = call.removeprefix("failed ")
            points.append(Point(where, errno.errorcode[error], str(ended.status)))
        if ended.status == 0 and not failed:
            break
    POINTS.extend(points)
    assert len(points) > 50
    judged(warm, whole, points)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.97])
def test_from_some_call_on_there_is_no_space(home: Home, whole: Whole, share: float) -> None:
    ended = home.run(Fault(Action.FILL, round(share * whole.n_calls)))
    assert ended.status == 1
    assert ended.seconds < 150, "a full disk is not waited for"
    judged(home, whole, [noted(home, "full from here on", ended)])


def test_a_disk_that_is_really_full(fresh: Callable[[], Home], home: Home, whole: Whole) -> None:
    whole_size = used(after_a_run(fresh()).workspace)
    with disk(home.workspace, whole_size // 2) as grow:
        ended = home.run()
        assert ended.status == 1
        point = Point(
            f"{whole_size // 2:,} of {whole_size:,} bytes", "full disk", str(ended.status)
        )
        POINTS.append(point)
        grow()
        judged(home, whole, [point])


def after_a_run(home: Home) -> Home:
    assert home.run().status == 0
    return home


def used(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


@contextmanager
def disk(at: Path, size: int) -> Iterator[Callable[[], None]]:
    """A disk of its own at `at`, in memory; what is yielded makes it ten times as large."""
    if os.geteuid():
        pytest.skip("a disk is mounted by root alone")
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(at)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")

    def grow() -> None:
        subprocess.run(["mount", "-o", f"remount,size={10 * size}", str(at)], check=True)

    try:
        yield grow
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)
