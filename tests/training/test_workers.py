import errno
import os
import platform
import re
import resource
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from lslm import stopping
from lslm.errors import InputError
from lslm.settings import Hyperparameters
from lslm.stopping import Interrupted
from lslm.training import workers
from lslm.training.workers import WorkerDied


def ask(question: int, on_event: object) -> int:
    return on_event(question) + 1  # type: ignore[operator]


def refuse() -> None:
    raise InputError("no such thing", where="toy", right="a thing")


def test_processes_answer_ask_fail_and_are_replaced() -> None:
    with workers.started(1) as processes:
        pid = processes.run(os.getpid)
        assert pid != os.getpid()
        assert processes.run(ask, on_event=lambda question: question * 10, question=4) == 41
        with pytest.raises(InputError, match="no such thing"):
            processes.run(refuse)
        assert processes.run(os.getpid) == pid
        with pytest.raises(WorkerDied, match="status 3"):
            processes.run(os._exit, status=3)
        assert processes.run(os.getpid) != pid
        assert workers.shared() is processes
    assert workers.shared().run(os.getpid) == os.getpid()


class Awkward(Exception):
    """Takes more than it keeps: what pickle makes of it cannot be read back."""

    def __init__(self, word: str, number: int) -> None:
        super().__init__(f"{word} {number}")


def awkward() -> None:
    raise Awkward("no", 4)


def locked() -> None:
    error = ValueError("held")
    error.lock = threading.Lock()  # type: ignore[attr-defined]
    raise error


@pytest.mark.parametrize(
    ("fails", "said"), [(awkward, "Awkward('no 4')"), (locked, "ValueError('held')")]
)
def test_an_error_that_cannot_leave_its_process_is_told_all_the_same(
    fails: Callable[[], None], said: str
) -> None:
    with workers.started(1) as processes:
        pid = processes.run(os.getpid)
        with pytest.raises(RuntimeError, match=re.escape(said)) as caught:
            processes.run(fails)
        assert f"in {fails.__name__}" in caught.value.__notes__[0]
        assert processes.run(os.getpid) == pid


def page_faults(n_bytes: int) -> int:
    """Of asking for memory, using it and freeing it again, ten times after the first."""
    for number in range(11):
        if number == 1:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        np.ones(n_bytes, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's malloc")
def test_memory_that_is_freed_is_used_again_also_after_a_fit(part: Path) -> None:
    """Ten times 30 MB are 73,000 pages of 4 kB. TensorFlow has its own will once it reads batches."""
    with workers.started(1) as processes:
        assert processes.run(page_faults, n_bytes=30_000_000) < 1000
        processes.run(
            "lslm.training.fitting:fit",
            part_folder=part,
            head_kind="classify",
            hyperparameters=chosen(1),
            seed=1,
            stop_early=True,
        )
        assert processes.run(page_faults, n_bytes=30_000_000) < 1000


def hungry() -> None:
    np.zeros(1 << 60, np.int8)


def crowded() -> None:
    # As `mmap` and `fork` say it.
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


@pytest.mark.parametrize("out_of_memory", [hungry, crowded])
def test_a_process_that_runs_out_of_memory_makes_room_for_another(
    out_of_memory: Callable[[], None],
) -> None:
    with workers.started(1) as processes:
        pid = processes.run(os.getpid)
        with pytest.raises(WorkerDied, match="status 12"):
            processes.run(out_of_memory)
        assert processes.run(os.getpid) != pid


def test_once_asked_to_stop_nothing_is_called_and_nobody_waits() -> None:
    told: list[str] = []

    def at_work(question: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with workers.started(1) as processes:
        pid = processes.run(os.getpid)
        with stopping.listening(told.append), stopping.ended_by(processes.kill):
            with pytest.raises(Interrupted):
                processes.run(ask, on_event=at_work, question=4)
            with pytest.raises(Interrupted):
                processes.run(os.getpid)
        assert not psutil.pid_exists(pid)
        assert processes.run(os.getpid) != pid


def test_the_listener_s_error_ends_the_process() -> None:
    def fail(question: int) -> int:
        raise KeyboardInterrupt

    with workers.started(1) as processes:
        pid = processes.run(os.getpid)
        with pytest.raises(KeyboardInterrupt):
            processes.run(ask, on_event=fail, question=4)
        time.sleep(0.1)
        assert processes.run(os.getpid) != pid


def test_a_process_of_a_cluster_does_the_work_itself() -> None:
    here = workers.InPlace()
    assert here.run(ask, on_event=lambda question: question * 10, question=4) == 41
    assert here.run("os:getpid") == os.getpid()
    with pytest.raises(InputError, match="no such thing"):
        here.run(refuse)


def test_a_container_may_have_less_than_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 1 <= workers.available_cores() <= (os.cpu_count() or 1)
    whole = psutil.virtual_memory().total
    limits = tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"
    monkeypatch.setattr(workers, "_MEMORY_LIMITS", limits)
    assert workers.available_memory() == whole
    for limit in limits:
        for written, expected in (("max\n", whole), ("4000000000\n", 4_000_000_000)):
            limit.write_text(written)
            assert workers.available_memory() == expected
        assert workers.Workers(4).most_memory == 1_000_000_000
        limit.unlink()


@pytest.mark.parametrize(
    ("cores", "gpus", "devices", "expected"),
    [
        (1, 0, "", 8),
        (3, 0, "", 2),
        (16, 0, "", 1),
        (1, 0.5, "0,1", 4),
        (1, 1, "2", 1),
        (1, 0.33, "0,1", 6),
        (1, 0.4, "0,1", 4),
        (1, 2, "0,1", 1),
    ],
)
def test_there_is_room_for_as_many_fits_as_what_each_asks_for_allows(
    cores: int, gpus: float, devices: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "available_cores", lambda: 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    assert workers.places(cores, gpus) == expected


@pytest.mark.parametrize(("gpus", "on_each"), [(0.5, 2), (0.33, 3), (0.4, 2), (1 / 3, 3), (1, 1)])
def test_shares_of_a_gpu_are_dealt_out_device_by_device(
    gpus: float, on_each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    with workers.started(2 * on_each, gpus=gpus) as processes:
        seen = [place.device for place in processes._idle()]
    assert sorted(seen) == ["4"] * on_each + ["7"] * on_each


def test_a_process_sees_the_gpu_that_it_was_dealt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    with workers.started(1, gpus=1) as processes:
        assert processes.run(os.getenv, key="CUDA_VISIBLE_DEVICES") == "4"


def test_a_process_leaves_memory_of_a_gpu_to_others() -> None:
    with workers.started(1) as processes:
        assert processes.run(os.getenv, key="TF_FORCE_GPU_ALLOW_GROWTH") == "true"


def test_a_share_of_a_gpu_where_there_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="no GPU"), workers.started(1, gpus=1):
        pass


def grow(n_bytes: int) -> int:
    globals()["kept"] = bytearray(b"x") * n_bytes
    return os.getpid()


def test_a_process_whose_memory_has_grown_makes_room_for_a_new_one() -> None:
    processes = workers.Workers(1, most_memory=1_000_000_000)
    with workers.started(1):
        small = processes.run(grow, n_bytes=1_000)
        assert processes.run(grow, n_bytes=1_000_000_000) == small
        assert processes.run(os.getpid) != small
        processes.stop()


def chosen(number: int) -> Hyperparameters:
    """As a search would: another network each time."""
    random = np.random.default_rng(number)
    space: dict[str, list[Any]] = {
        "encoder.cell": ["lstm", "gru"],
        "encoder.units": [4, 8, 12, 16],
        "encoder.bidirectional": [False, False, True],
        "encoder.pooling": ["attention", "max", "last", "attention+max"],
        "encoder.recurrent_dropout": [0.0, 0.2],
        "training.batch_size": [8, 16],
        "training.learning_rate": [1e-3, 3e-3],
        "training.schedule": ["constant", "cosine"],
    }
    drawn = {name: values[random.integers(len(values))] for name, values in space.items()}
    return Hyperparameters().replaced({"training.epochs": 1, **drawn})


def memory_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_memory_stays_flat_over_200_fits(part: Path, tmp_path: Path) -> None:
    seen: dict[int, float] = {}
    with workers.started(1) as processes:
        first = processes.run(os.getpid)
        for number in range(1, 201):
            processes.run(
                "lslm.training.fitting:fit",
                part_folder=part,
                head_kind="classify",
                hyperparameters=chosen(number),
                seed=number,
                stop_early=True,
                checkpoint=tmp_path / f"{number}.npz",
            )
            if number % 10 == 0:
                seen[number] = processes.run(memory_mb)
                print(number, f"{seen[number]:.0f} MB", flush=True)
        assert processes.run(os.getpid) == first
    assert max(seen.values()) < 1.1 * seen[20], seen


def test_a_training_process_computes_with_as_many_threads_as_it_has_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in workers.THREADS:
        monkeypatch.delenv(name, raising=False)
    with workers.started(1, cores=1):
        told = {name: os.environ[name] for name in workers.THREADS}
    assert told["TF_NUM_INTRAOP_THREADS"] == told["OMP_NUM_THREADS"] == "1"
