import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prefect.utilities.timeout import timeout

from lslm import stopping
from lslm.stopping import Interrupted


def test_while_a_fit_runs_the_first_signal_waits_for_its_epoch():
    words: list[str] = []
    with stopping.listening(words.append), stopping.fitting():
        os.kill(os.getpid(), signal.SIGINT)
        assert words == ["finishing the epoch; Ctrl-C again stops at once"]
        with pytest.raises(Interrupted) as ended:
            stopping.check()
    assert ended.value.status == 130


def test_the_second_signal_ends_at_once_what_threads_wait_for():
    ended: list[str] = []
    with (
        stopping.listening(lambda words: None),
        stopping.fitting(),
        stopping.ended_by(lambda: ended.append("processes")),
    ):
        os.kill(os.getpid(), signal.SIGTERM)
        assert not ended
        with pytest.raises(Interrupted) as stopped:
            os.kill(os.getpid(), signal.SIGTERM)
    assert (stopped.value.status, ended) == (143, ["processes"])


def test_where_no_fit_runs_the_first_signal_stops_at_once():
    with stopping.listening(lambda words: None):
        with stopping.fitting():
            pass
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)


def test_when_the_time_is_over_fits_of_other_threads_end_with_their_epoch():
    epochs: list[int] = []

    def fit() -> None:
        with stopping.fitting():
            for number in range(1000):
                time.sleep(0.01)
                epochs.append(number)
                stopping.check()

    def run() -> None:
        # As a flow run ends: the limit first, then the runner, which waits for its threads.
        with stopping.apart(), ThreadPoolExecutor() as runner, stopping.limited(timeout(0.2)):
            fitted = runner.submit(fit)
            while not fitted.done():
                time.sleep(0.01)  # The timer of a test itself takes signals away from Prefect's.

    with pytest.raises(TimeoutError):
        run()
    assert 0 < len(epochs) < 900
    stopping.check()


def test_a_signal_that_a_library_took_is_taken_back():
    with stopping.listening(lambda words: None):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stopping.listen()
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)


def test_nobody_listens_outside_the_block():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopping.listening(lambda words: None):
        pass
    stopping.listen()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    stopping.check()
