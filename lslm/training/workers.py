"""Warm training processes, one thread each, that are told what to call.

Two processes of one thread do 1.85 times the work of one process with two. A fork server that has
Keras loaded starts a process in no time; each then lives through all trials and folds.
"""

import contextlib
import errno
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, TypeVar

import psutil

from lslm import stopping
from lslm.errors import InputError
from lslm.training import allocation

Result = TypeVar("Result")

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Variables that say how many threads a process computes with; read when the libraries are first used."""
SHARED_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
"""Variables of a process that may not be alone on its GPU: TensorFlow takes the whole memory otherwise."""
_LEAST_MEMORY = 1_500_000_000
"""Bytes that a process may always have; a new one with Keras at work has about 500 million."""
_SHARE = 0.25
"""Of the machine's memory, for all processes together between two calls."""
_MEMORY_LIMITS = tuple(
    Path("/sys/fs/cgroup", name) for name in ("memory.max", "memory/memory.limit_in_bytes")
)
"""Where Linux tells the limit of a container, by the version of its control groups."""
_ROUNDING = 1e-9
"""By which so many times a share may miss the whole."""
_PRELOADED = ["keras", "lslm.training.fitting"]


class WorkerDied(RuntimeError):
    """A training process ended without an answer, as when memory runs out."""


class _Worker:
    """One process and the line to it; it sees one GPU, where one is named."""

    def __init__(self, device: str | None) -> None:
        context = multiprocessing.get_context("forkserver")
        self.line, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far, device), daemon=True)
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


class _Place:
    """Room for one process: its GPU, if it has one, and the process, once it is needed."""

    def __init__(self, device: str | None = None) -> None:
        self.device = device
        self.worker: _Worker | None = None

    def filled(self) -> _Worker:
        if self.worker is None:
            self.worker = _Worker(self.device)
        return self.worker

    def clear(self) -> None:
        if self.worker is not None:
            self.worker.stop()
        self.worker = None


class Workers:
    """A fixed number of processes; `run` waits for a free one. Safe to call from many threads.

    A process that holds more than `most_memory` bytes after a call makes room for a new one, which the fork
    server starts in no time. None: a share of the machine's memory.
    """

    def __init__(self, number: int, gpus: float = 0, most_memory: int | None = None) -> None:
        """`gpus` is the share of a GPU that each process gets."""
        self.number = number
        room = available_memory() / number
        self.most_memory = most_memory or int(min(room, max(_LEAST_MEMORY, _SHARE * room)))
        self._places = [_Place(device) for device in _shares(number, gpus)]
        self._free: queue.LifoQueue[_Place] = queue.LifoQueue()
        for place in self._places:
            self._free.put(place)

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
        dies raises WorkerDied, and the next call starts a new one. Once the run was asked to stop,
        nothing is called any more: Interrupted.
        """
        place = self._free.get()
        try:
            stopping.check()
            worker = place.filled()
            answer = worker.call(function, arguments, on_event)
            if worker.memory() > self.most_memory:
                place.clear()
            return answer
        except BaseException as error:
            # Anything but an error the function itself raised leaves the line in an unknown state.
            if not hasattr(error, "__notes__"):
                place.clear()
            if isinstance(error, WorkerDied):
                # Its end was asked for.
                stopping.check()
            raise
        finally:
            self._free.put(place)

    def stop(self) -> None:
        """End the idle processes; those still at work are not waited for. A later call starts new ones."""
        for place in list(self._idle()):
            place.clear()
            self._free.put(place)

    def kill(self) -> None:
        """End all processes, also those at work; who waits for one is told that it died."""
        for place in self._places:
            if (worker := place.worker) is not None:
                worker.process.kill()

    def _idle(self) -> Iterator[_Place]:
        with contextlib.suppress(queue.Empty):
            for _ in range(self.number):
                yield self._free.get_nowait()


class InPlace:
    """Work is done in the process that asks for it, one call at a time: a process of a cluster is one already."""

    number = 1

    def __init__(self) -> None:
        self._one = threading.Lock()

    def run(
        self,
        function: Callable[..., Result] | str,
        on_event: Callable[[Any], Any] | None = None,
        **arguments: Any,
    ) -> Result:
        """Call `function(**arguments)`; see `Workers.run`."""
        called: Any = resolve_name(function) if isinstance(function, str) else function
        if on_event is not None:
            arguments["on_event"] = on_event
        with self._one:
            return called(**arguments)


_shared: Workers | None = None
_in_place = InPlace()


@contextmanager
def started(number: int | None, cores: int = 1, gpus: float = 0) -> Iterator[Workers]:
    """Have processes inside the block; `shared()` finds them.

    None takes as many as there are cores for, or GPUs where each asks for a share of one.
    """
    global _shared
    for name in THREADS:
        os.environ.setdefault(name, str(cores))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    # Loads Keras beside whatever comes first, such as the start of Prefect's server.
    forkserver.ensure_running()
    _shared = Workers(number or places(cores, gpus), gpus)
    try:
        with stopping.ended_by(_shared.kill):
            yield _shared
    finally:
        _shared.stop()
        _shared = None


def shared() -> Workers | InPlace:
    """The processes of the block that is running; outside of one, as in a cluster, this very process."""
    return _shared or _in_place


def rest() -> None:
    """Give back the memory of idle processes before a long wait."""
    if _shared is not None:
        _shared.stop()


def places(cores: int, gpus: float) -> int:
    """How many fits this machine has room for, each with so many cores and such a share of a GPU."""
    room = available_cores() // cores
    if gpus:
        there = len(devices())
        room = min(room, there * _on_one(gpus) if gpus < 1 else int(there / gpus))
    return max(1, room)


def devices() -> list[str]:
    """Numbers of the GPUs that this process may use, as CUDA counts them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [each for each in named.split(",") if each.strip()]
    found = (path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))
    return sorted(found, key=int)


def available_cores() -> int:
    """Cores this process may use; a container may have fewer than its machine."""
    import joblib

    return joblib.cpu_count()


def available_memory() -> int:
    """Bytes of memory this process may use in all; a container may have less than its machine."""
    total = psutil.virtual_memory().total
    for limit in _MEMORY_LIMITS:
        with contextlib.suppress(OSError, ValueError):
            total = min(total, int(limit.read_text()))
    return total


def _shares(number: int, gpus: float) -> Iterator[str | None]:
    """For each process the GPU that it sees; None where it may see what there is."""
    there = devices() if gpus else []
    if gpus and not there:
        raise InputError("no GPU is found here", where="execution.gpus", right="0, or a GPU")
    for place in range(number):
        yield there[place // _on_one(gpus) % len(there)] if there else None


def _on_one(gpus: float) -> int:
    """How many fits share one GPU: what is left of it when the share does not divide 1 stays free.

    Example:
        >>> [_on_one(share) for share in (1, 0.5, 1 / 49, 0.4, 0.33)]
        [1, 2, 49, 2, 3]
    """
    return max(1, int(1 / gpus + _ROUNDING))


def _serve(line: Connection, device: str | None) -> None:
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    os.environ.update(SHARED_GPU)
    allocation.keep_freed_memory()
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
                if _is_out_of_memory(error):
                    # What holds the memory goes with the process; the next one begins without it.
                    traceback.print_exc()
                    os._exit(errno.ENOMEM)
                answer = ("error", (_sendable(error), traceback.format_exc()))
            line.send(answer)


def _sendable(error: Exception) -> Exception:
    """The error; one that says the same where it does not come through a line whole."""
    try:
        pickle.loads(ForkingPickler.dumps(error))  # noqa: S301  of our own
    except Exception:  # of any kind: it is whatever the error holds that fails
        return RuntimeError(repr(error))
    return error


def _is_out_of_memory(error: Exception) -> bool:
    """By name: TensorFlow's error is not imported for it. By number: the system says so of a map or a thread."""
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    names = {each.__name__ for each in type(error).__mro__}
    return bool(names & {"MemoryError", "ResourceExhaustedError"})
