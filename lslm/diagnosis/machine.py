"""Whether the machine has room for a run."""

import contextlib
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from lslm.diagnosis.checks import Check
from lslm.training.workers import available_cores
from lslm.workspace import existing, write_atomic

_DISK = 2.0
"""GB: a run with its embeddings and models, and room for the databases to grow."""
_MAIN, _WORKER = 1.0, 0.5
"""GB of the run itself, and of each training process (0.41 measured)."""
_ANSWER = 4.0
_GB = 1e9


def writable(root: Path) -> Iterator[Check]:
    """Whether files can be written, renamed and locked in the workspace."""
    probe = existing(root) / f".lslm-doctor-{os.getpid()}"
    try:
        write_atomic(probe, b"")
        with FileLock(probe, timeout=0):
            pass
    except (OSError, NotImplementedError, Timeout) as error:
        mend = "make it yours to write, or choose another --workspace on a local disk"
        yield Check("workspace", ok=False, found=f"{root}: {error}", mend=mend)
    else:
        there = "" if root.exists() else " (made by the first run)"
        yield Check("workspace", ok=True, found=f"{root} can be written{there}")
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


def disk(root: Path) -> Iterator[Check]:
    """Free space where the workspace is."""
    free = shutil.disk_usage(existing(root)).free / _GB
    mend = f"free {_DISK:g} GB there, or choose another --workspace"
    yield Check("disk", ok=free >= _DISK, found=f"{free:.1f} GB free", mend=mend)


def memory(workers: int | None) -> Iterator[Check]:
    """Memory that is left, against what the training processes take."""
    number = workers or available_cores()
    needed, free = _MAIN + number * _WORKER, _free_memory() / _GB
    yield Check(
        "memory",
        ok=free >= needed,
        found=f"{free:.1f} GB free; {number} training processes take about {needed:.1f} GB",
        mend="end other programs, or --set execution.workers=1",
    )


def cores(workers: int | None) -> Iterator[Check]:
    """Cores, against the training processes that are asked for."""
    there = available_cores()
    yield Check(
        "cores",
        ok=workers is None or workers <= there,
        found=f"{there}; training processes: {workers or there}",
        mend=f"--set execution.workers={there}, or leave it to the number of cores",
    )


def fork_server() -> Iterator[Check]:
    """Whether training processes can be started and spoken to."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(theirs,), daemon=True)
    process.start()
    answered = ours.poll(_ANSWER) and ours.recv() == process.pid
    process.kill()
    process.join()
    yield Check(
        "training processes",
        ok=bool(answered),
        found="start and answer" if answered else f"no answer within {_ANSWER:g} s",
        mend="see whether the temporary folder and /dev/shm can be written, and `ulimit -u`",
    )


def _free_memory() -> float:
    """Bytes; a container may have less than its machine."""
    free, group = psutil.virtual_memory().available, Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):
        limit, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        return min(free, limit - used)
    return free


def _answer(line: Connection) -> None:
    line.send(os.getpid())
