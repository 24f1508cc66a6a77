import os
import signal
import time

import numpy as np
import psutil
import pytest

from lslm import stopping
from lslm.errors import InputError
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


def hungry() -> None:
    np.zeros(1 << 60, np.int8)


def test_a_process_that_runs_out_of_memory_makes_room_for_another() -> None:
    with workers.started(1) as processes:
        pid = processes.run(os.getpid)
        with pytest.raises(WorkerDied, match="status 12"):
            processes.run(hungry)
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


@pytest.mark.parametrize(
    ("cores", "gpus", "devices", "expected"),
    [(1, 0, "", 8), (3, 0, "", 2), (16, 0, "", 1), (1, 0.5, "0,1", 4), (1, 1, "2", 1)],
)
def test_there_is_room_for_as_many_fits_as_what_each_asks_for_allows(
    cores: int, gpus: float, devices: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "available_cores", lambda: 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    assert workers.places(cores, gpus) == expected


def test_shares_of_a_gpu_are_dealt_out_device_by_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    with workers.started(4, gpus=0.5) as processes:
        seen = [place.device for place in processes._idle()]
    assert sorted(seen) == ["4", "4", "7", "7"]
    with workers.started(1, gpus=1) as processes:
        assert processes.run(os.getenv, key="CUDA_VISIBLE_DEVICES") == "4"


def test_a_share_of_a_gpu_where_there_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="no GPU"), workers.started(1, gpus=1):
        pass
