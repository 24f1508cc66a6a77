"""How a person stops a run: the first Ctrl-C lets the epochs that are running end, the second does not.

The state of a fit is kept before its epoch is heard of, so a run that goes on later loses nothing. Where no fit is
running, the first Ctrl-C stops at once. SIGTERM is a Ctrl-C with another status. None of this happens outside
`listening`: a run that a Prefect worker started is stopped by Prefect.

A limit of time that holds for a run is lifted where nothing is left but to wait for a person. When it is over,
fits end with their epoch as after a signal: nobody waits for the rest of a trial.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop. No `Exception`: nothing takes it for a failure and tries again."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """What a shell expects of a command that a signal ended."""
        return 128 + self.number


class _Stop:
    """What this process was asked."""

    def __init__(self) -> None:
        self.listening = False
        self.asked: int | None = None
        """The signal that asked to stop."""
        self.say: Callable[[str], None] = lambda words: None
        self.at_once: list[Callable[[], None]] = []
        """What must end for the threads that wait for it to end."""
        self.n_fits = 0
        self.changing = threading.Lock()

    def heard(self, number: int, frame: FrameType | None) -> None:
        first, self.asked = self.asked is None, number
        if first and self.n_fits:
            self.say("finishing the epoch; Ctrl-C again stops at once")
            return
        for end in self.at_once:
            end()
        raise Interrupted(number)


_stop = _Stop()
_limit = ExitStack()
"""What stops the run when its time is over."""


@contextmanager
def listening(say: Callable[[str], None]) -> Iterator[None]:
    """Inside the block Ctrl-C and SIGTERM stop the run as told above; `say` is given the words for the person."""
    global _stop
    _stop = _Stop()
    _stop.say, _stop.listening = say, True
    before = [(number, signal.getsignal(number)) for number in _SIGNALS]
    listen()
    try:
        yield
    finally:
        _stop = _Stop()
        for number, handler in before:
            signal.signal(number, handler)


def listen() -> None:
    """Hear the signals again, after a library took them; nothing where nobody is `listening`."""
    if _stop.listening:
        for number in _SIGNALS:
            signal.signal(number, _stop.heard)


@contextmanager
def fitting() -> Iterator[None]:
    """A fit is running in the block, that keeps its state after each epoch and then calls `check`."""
    stop = _stop
    with stop.changing:
        stop.n_fits += 1
    try:
        yield
    finally:
        with stop.changing:
            stop.n_fits -= 1


@contextmanager
def ended_by(end: Callable[[], None]) -> Iterator[None]:
    """To stop at once while the block is running, `end` is called: it frees threads that wait."""
    stop = _stop
    stop.at_once.append(end)
    try:
        yield
    finally:
        with suppress(ValueError):
            stop.at_once.remove(end)


def check() -> None:
    """Raise Interrupted if the run was asked to stop."""
    if _stop.asked is not None:
        raise Interrupted(_stop.asked)


@contextmanager
def limited(limit: AbstractContextManager[None]) -> Iterator[None]:
    """`limit` stops the block when its time is over, unless `lift` was called there.

    What it raises then is a TimeoutError. Fits that other threads wait for end too (see `apart`).
    """
    global _limit
    try:
        with ExitStack() as held:
            held.enter_context(limit)
            before, _limit = _limit, held
            try:
                yield
            finally:
                _limit = before
    except TimeoutError:
        over()
        raise


def over() -> None:
    """The time of the run is over: fits end with their epoch, as if it had been asked to stop."""
    _stop.asked = _stop.asked or signal.SIGTERM


@contextmanager
def apart() -> Iterator[None]:
    """What is asked in the block does not hold behind it: a run of a worker may not be the last of its process."""
    global _stop
    before, _stop = _stop, _Stop()
    try:
        yield
    finally:
        _stop = before


def lift() -> None:
    """The time from here on is a person's: no limit of the run holds any longer."""
    _limit.close()
