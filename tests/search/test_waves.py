"""In waves, what a trial knows when it is chosen does not depend on which process is faster."""

import random
import threading
import time
from pathlib import Path

import pytest

from lslm.search.study import Study
from lslm.search.waves import Waves
from tests.search.test_study import study


def test_outcomes_become_known_at_the_end_of_the_wave_by_number() -> None:
    waves, known = Waves(size=3, left=9), []
    for number in range(3):
        waves.wait()
        waves.enter(number)
    waves.leave(2, lambda: known.append(2))
    waves.leave(0, lambda: known.append(0))
    assert known == []
    waves.leave(1, lambda: known.append(1))
    assert known == [0, 1, 2]


def test_the_last_wave_is_as_small_as_what_is_left() -> None:
    waves, known = Waves(size=2, left=3), []
    for number in range(3):
        waves.wait()
        waves.enter(number)
        if number:
            waves.leave(number - number % 2, lambda number=number: known.append(number))
        if number == 1:
            waves.leave(1, lambda: known.append("end"))
    assert known == [1, "end", 2]


def test_closing_makes_known_what_a_wave_that_never_filled_holds() -> None:
    waves, known = Waves(size=2, left=9), []
    waves.wait()
    waves.enter(0)
    waves.leave(0, lambda: known.append(0))
    waves.close()
    assert known == [0]


def searched(opened: Study, seed: int) -> list[dict[str, object]]:
    """Parameters of all trials, run by two threads that take random times."""
    slow = random.Random(seed)

    def work() -> None:
        while opened.n_left() and (trial := opened.ask()) is not None:
            time.sleep(slow.random() / 50)
            rate = trial.params["training.learning_rate"]
            opened.tell(trial, rate * trial.params["encoder.units"], 1)
            if trial.number >= 10:
                return

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [trial.params for trial in opened.study.trials]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_two_searches_draw_the_same_whoever_is_faster(tmp_path: Path, sampler: str) -> None:
    drawn = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        opened = study(tmp_path / name, at_once=2, sampler=sampler, in_waves=True, n_trials=12)
        drawn.append(searched(opened, seed=len(drawn)))
    assert len(drawn[0]) >= 12
    assert drawn[0][:12] == drawn[1][:12] == drawn[2][:12]
