"""Warm training processes, one thread each, that are told what to call.

Two processes of one thread do 1.85 times the work of one process with two. A fork server that has
Keras loaded starts a process in no time; each then lives through all trials and folds.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pkgutil import resolve_name
from typing import Any, TypeVar

import psutil

Result = TypeVar("Result")

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
_LEAST_MEMORY = 1_500_000_000
"""Bytes that a process may always have; a new one with Keras at work has about 500 million."""
_SHARE = 0.25
"""Of the machine's memory, for all processes together between two calls."""
_PRELOADED = ["keras", "lslm.training.fitting"]


class WorkerDied(RuntimeError):
    """A training process ended without an answer, as when memory runs out."""


class _Worker:
    """One process and the line to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        self.line, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far,), daemon=True)
        self.process.start()
        far.close()

    def call(
        self, function: Callable[..., Result] | str, arguments: dict[str, Any], on_event: Any
    ) -> Result:
        try:
            self.line.send((function, arguments, on_event is not None))
            while True:
                kind, value = self.line.recv()
                if kind == "event":
                    self.line.send(on_event(value))
                elif kind == "error":
                    error, trace = value
                    error.add_note(trace)
                    raise error
                else:
                    return value
        except (EOFError, ConnectionError) as error:
            self.process.join(5)
            raise WorkerDied(
                f"a training process ended with status {self.process.exitcode} while it ran "
                f"{function if isinstance(function, str) else function.__qualname__}"
            ) from error

    def memory(self) -> int:
        """Bytes that are its own: pages of mapped files, such as a part's arrays, are left out."""
        try:
            told: Any = psutil.Process(self.process.pid).memory_info()
        except psutil.Error:
            return 0
        return told.rss - getattr(told, "shared", 0)

    def stop(self) -> None:
        self.line.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()


class Workers:
    """A fixed number of processes; `run` waits for a free one. Safe to call from many threads.

    A process that holds more than `most_memory` bytes after a call makes room for a new one, which the fork
    server starts in no time. None: a share of the machine's memory.
    """

    def __init__(self, number: int, most_memory: int | None = None) -> None:
        self.number = number
        share = int(_SHARE * psutil.virtual_memory().total / number)
        self.most_memory = most_memory or max(_LEAST_MEMORY, share)
        self._free: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(number):
            self._free.put(None)

    def run(
        self,
        function: Callable[..., Result] | str,
        on_event: Callable[[Any], Any] | None = None,
        **arguments: Any,
    ) -> Result:
        """Call `function(**arguments)` in a process and return what it returns.

        A function may be named, as `package.module:function`: then only the process imports it,
        and what it needs, such as Keras.

        With `on_event`, the function is given an argument of that name; what it passes there is
        passed on to ours, and gets ours' answer. What it raises is raised here; a process that
        dies raises WorkerDied, and the next call starts a new one.
        """
        worker = self._free.get()
        try:
            worker = worker or _Worker()
            answer = worker.call(function, arguments, on_event)
            if worker.memory() > self.most_memory:
                worker.stop()
                worker = None
            return answer
        except BaseException as error:
            # Anything but an error the function itself raised leaves the line in an unknown state.
            if worker is not None and not hasattr(error, "__notes__"):
                worker.stop()
                worker = None
            raise
        finally:
            self._free.put(worker)

    def stop(self) -> None:
        """End the idle processes; those still at work are not waited for. A later call starts new ones."""
        n_idle = 0
        with contextlib.suppress(queue.Empty):
            for _ in range(self.number):
                worker = self._free.get_nowait()
                n_idle += 1
                if worker:
                    worker.stop()
        for _ in range(n_idle):
            self._free.put(None)


_shared: Workers | None = None


@contextmanager
def started(number: int | None) -> Iterator[Workers]:
    """Have processes inside the block (None: one a core); `shared()` finds them."""
    global _shared
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    # Loads Keras beside whatever comes first, such as the start of Prefect's server.
    forkserver.ensure_running()
    _shared = Workers(number or available_cores())
    try:
        yield _shared
    finally:
        _shared.stop()
        _shared = None


def shared() -> Workers:
    """The processes of the block that is running."""
    if _shared is None:
        raise RuntimeError("no training processes: call inside `with workers.started(...)`")
    return _shared


def rest() -> None:
    """Give back the memory of idle processes before a long wait."""
    if _shared is not None:
        _shared.stop()


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serve(line: Connection) -> None:
    # Ctrl-C goes to the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def tell(event: Any) -> Any:
        line.send(("event", event))
        return line.recv()

    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            function, arguments, listens = line.recv()
            if listens:
                arguments["on_event"] = tell
            try:
                called = resolve_name(function) if isinstance(function, str) else function
                answer = ("result", called(**arguments))
            except (EOFError, ConnectionError):
                raise
            except Exception as error:  # every error is the caller's to see
                answer = ("error", (error, traceback.format_exc()))
            line.send(answer)
