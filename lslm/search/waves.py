"""Trials in waves: what is known when a trial is chosen does not depend on which process is faster."""

import threading
from collections.abc import Callable


class Waves:
    """At most `size` trials at once; outcomes become known together, in the order of their numbers.

    A wave ends when all its trials have. `left` is how many trials are to come in all, so that the last
    wave may be smaller. A `size` of 1 is one trial after the other.
    """

    def __init__(self, size: int, left: int) -> None:
        self._size, self._left = size, left
        self._inside: set[int] = set()
        self._outcomes: dict[int, Callable[[], None]] = {}
        self._changed = threading.Condition()

    def wait(self) -> None:
        """Return when the wave has room for one more trial."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._inside) < self._full())

    def enter(self, number: int) -> None:
        """The trial is part of the wave; one thread at a time waits and enters."""
        with self._changed:
            self._inside.add(number)

    def leave(self, number: int, outcome: Callable[[], None]) -> None:
        """The trial ended; `outcome` makes that known, at the end of the wave."""
        with self._changed:
            self._outcomes[number] = outcome
            if len(self._outcomes) >= self._full():
                self._end()

    def close(self) -> None:
        """No trial will come any more: end the wave, however small."""
        with self._changed:
            self._end()

    def _full(self) -> int:
        """Trials of the present wave; a failed trial's place is taken by none."""
        return max(1, min(self._size, self._left))

    def _end(self) -> None:
        for number in sorted(self._outcomes):
            self._outcomes[number]()
        self._left -= len(self._outcomes)
        self._inside -= self._outcomes.keys()
        self._outcomes.clear()
        self._changed.notify_all()
