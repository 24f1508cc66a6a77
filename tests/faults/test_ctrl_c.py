"""Ctrl-C in the midst of a fit: its epoch is finished and kept; a second one does not wait."""

import os
import signal
import time

import numpy as np
import pytest

from tests.faults.conftest import Whole
from tests.faults.flow import Home, Running, running
from tests.faults.test_kills import judged

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_LONG = ("--set", "training.epochs=400", "--set", "training.patience=400")


def in_a_fit(home: Home, *options: str) -> Running:
    """A run, at its first epoch."""
    process, end = home.start(None, *options), time.monotonic() + 200
    while not home.checkpoints():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return process


def asked(process: Running, *signals: int) -> tuple[int, str]:
    for number in signals:
        os.kill(process.pid, number)
        time.sleep(0.2)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_the_first_finishes_the_epoch_and_keeps_it(home: Home) -> None:
    status, errors = asked(in_a_fit(home, *_LONG), signal.SIGINT)
    assert status == 130
    assert "finishing the epoch; Ctrl-C again stops at once" in errors
    assert errors.rstrip().endswith("running the same command goes on where it stopped")
    assert running(home) == []
    (checkpoint,) = home.checkpoints()
    with np.load(checkpoint, allow_pickle=False) as state:
        assert len(state["epochs"].item()) > 0
    assert [status for (status,) in home.rows("mlflow.db", "SELECT status FROM runs")] == ["KILLED"]


def test_the_second_stops_at_once(home: Home) -> None:
    process = in_a_fit(home, *_LONG)
    began = time.monotonic()
    status, errors = asked(process, signal.SIGINT, signal.SIGINT)
    assert status == 130
    assert time.monotonic() - began < 15
    assert "goes on where it stopped" in errors
    assert running(home) == []


def test_what_was_stopped_comes_to_what_it_would_have_come_to(home: Home, whole: Whole) -> None:
    assert asked(in_a_fit(home), signal.SIGINT)[0] == 130
    assert asked(in_a_fit(home), signal.SIGTERM)[0] == 143
    judged(home, whole, [])
