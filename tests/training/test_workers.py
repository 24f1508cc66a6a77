import os
import time

import pytest

from lslm.errors import InputError
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
    with pytest.raises(RuntimeError):
        workers.shared()


def test_the_listener_s_error_ends_the_process() -> None:
    def fail(question: int) -> int:
        raise KeyboardInterrupt

    with workers.started(1) as processes:
        pid = processes.run(os.getpid)
        with pytest.raises(KeyboardInterrupt):
            processes.run(ask, on_event=fail, question=4)
        time.sleep(0.1)
        assert processes.run(os.getpid) != pid
