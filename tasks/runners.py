"""What trials and folds run on: threads beside training processes, processes, a Dask or a Ray cluster.

The code of the flow is the same on all of them. Dask and Ray are extras; what is missing is said in one line.
"""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from lslm.cli.environment import DEFAULTS
from lslm.errors import InputError
from lslm.services.addresses import PREFECT, study_url
from lslm.services.sqlite import file_of
from lslm.settings import ExecutionSettings, Settings
from lslm.training import workers
from lslm.workspace import Workspace

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

_LOOPBACK = ("", "127.0.0.1", "localhost", "::1", "auto")

_width = 1
_is_temporary = False
"""Whether the Prefect server that is used goes with the run."""


class Pool(ProcessPoolTaskRunner):
    """Prefect's pool of processes, and another one where a process of it died.

    Python ends all processes of such a pool, and submits nothing more to it.
    """

    def submit(self, *given: Any, **named: Any) -> Any:
        """See Prefect's."""
        if self._is_broken():
            self.__exit__(None, None, None)
            self.__enter__()
        return super().submit(*given, **named)

    def _is_broken(self) -> bool:
        if self._executor is None:
            return False
        try:
            self._executor.submit(int)
        except BrokenProcessPool:
            return True
        return False


def width() -> int:
    """How many trials or folds can run at once, in the block that is running."""
    return _width


def served() -> bool:
    """Whether a Prefect server outlives the run; pages and forms of a temporary one would be gone with it."""
    return get_current_settings().api.url is not None and not _is_temporary


@contextmanager
def opened(settings: Settings) -> Iterator[TaskRunner[Any]]:
    """A task runner as the settings wish, and training processes of this machine beside it."""
    global _width
    execution = settings.execution
    _check_reach(settings)
    if execution.runner == "processes" and execution.gpus:
        raise InputError(
            "a pool of processes deals out no GPUs",
            where="execution.gpus",
            right="0, or execution.runner: threads, dask or ray",
        )
    with ExitStack() as stack:
        if execution.runner == "threads":
            processes = stack.enter_context(
                workers.started(execution.workers, execution.cores, execution.gpus)
            )
            if get_current_settings().api.url is None:
                _temporary_server()
            # With more threads than processes, trials would be asked for long before one is free.
            runner, number = ThreadPoolTaskRunner(max_workers=processes.number), processes.number
        else:
            # What is not a trial or a fold is done here, by one process.
            stack.enter_context(workers.started(1, execution.cores))
            stack.enter_context(_reachable_server())
            runner, number = _elsewhere(execution, stack)
        before, _width = _width, number
        try:
            yield runner
        finally:
            _width = before


def _elsewhere(execution: ExecutionSettings, stack: ExitStack) -> tuple[TaskRunner[Any], int]:
    if execution.runner == "processes":
        number = execution.workers or workers.places(execution.cores, execution.gpus)
        return Pool(max_workers=number), number
    try:
        if execution.runner == "dask":
            from tasks import on_dask as cluster
        else:
            from tasks import on_ray as cluster
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed",
            where=f"execution.runner: {execution.runner}",
            right=f"the extra: pip install 'lslm[{execution.runner}]'",
        ) from None
    return cluster.opened(execution, _environment(), stack)


def _environment() -> dict[str, str]:
    """Variables of this process that its fits depend on: the same bits come out elsewhere with the same ones."""
    return {name: os.environ[name] for name in (*DEFAULTS, *workers.THREADS) if name in os.environ}


def _check_reach(settings: Settings) -> None:
    """Refuse a cluster of other machines with a database that they cannot share."""
    host = _host(settings.execution.address)
    if host in _LOOPBACK:
        return
    if file_of(study_url(settings.tracking, Workspace(settings.workspace))) is not None:
        raise InputError(
            f"machines of the cluster at {host} cannot share Optuna's SQLite file",
            where="tracking.study_url",
            right="PostgreSQL, or grpc://HOST:PORT of Optuna's proxy",
        )
    if _host(get_current_settings().api.url) in _LOOPBACK:
        raise InputError(
            f"machines of the cluster at {host} cannot reach a Prefect server of this machine alone",
            where=PREFECT,
            right="the address of a Prefect server that they reach",
        )


def _host(address: str | None) -> str:
    """The host of an address; empty where there is none.

    Example:
        >>> _host("tcp://10.0.0.7:8786"), _host("10.0.0.7:6379"), _host(None)
        ('10.0.0.7', '10.0.0.7', '')
    """
    address = address or ""
    return urlsplit(address if "//" in address else f"//{address}").hostname or ""


def _temporary_server() -> "SubprocessASGIServer":
    """Start Prefect's temporary server out of reach of Ctrl-C, which a terminal sends to all that runs in it.

    A run that then ends its epoch has states to report. Which signals are blocked goes from a thread to the
    processes that it starts.
    """
    # Two seconds, which runs on a server that is there already need not wait, nor those that find nothing changed.
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    failed: list[Exception] = []

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            server.start(get_current_settings().server.ephemeral.startup_timeout_seconds)
        except Exception as error:
            failed.append(error)

    starting = threading.Thread(target=copy_context().run, args=(start,), daemon=True)
    starting.start()
    starting.join()
    if failed:
        raise failed[0]
    return server


@contextmanager
def _reachable_server() -> Iterator[None]:
    """A Prefect server that other processes find too: each would start one of its own for the time of a task."""
    if get_current_settings().api.url is not None:
        yield
        return
    global _is_temporary
    server = _temporary_server()
    before, _is_temporary = os.environ.get(PREFECT), True
    try:
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            os.environ[PREFECT] = server.api_url
            yield
    finally:
        _is_temporary = False
        if before is None:
            os.environ.pop(PREFECT, None)
        server.stop()
