"""What trials and folds are given to."""

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import task, task_runners
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from tasks import runners
from tasks.runners import Pool


class Executor:
    """Stands where Python's pool of processes stands; what is submitted breaks it if it says so."""

    made: "list[Executor]"

    def __init__(self, **options: Any) -> None:
        self.broken = False
        self.made.append(self)

    def submit(self, call: Callable[..., Any], *given: Any) -> None:
        if self.broken:
            raise BrokenProcessPool("a process died")

    def shutdown(self, **how: Any) -> None: ...


@task
def nothing() -> None: ...


def test_where_a_process_of_the_pool_died_another_pool_takes_what_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Executor.made = []
    monkeypatch.setattr(task_runners, "ProcessPoolExecutor", Executor)
    monkeypatch.setattr(
        task_runners.ProcessPoolTaskRunner, "submit", lambda self, *given: self._executor
    )
    with Pool(max_workers=2) as pool:
        first = pool.submit(nothing, {})
        assert pool.submit(nothing, {}) is first
        first.broken = True
        second = pool.submit(nothing, {})
        assert second is not first
        assert not second.broken
    assert len(Executor.made) == 2


def test_nobody_is_asked_on_a_server_that_goes_with_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = SimpleNamespace(api_url="http://127.0.0.1:9/api", stop=lambda: None)
    monkeypatch.setattr(runners, "_temporary_server", lambda: server)
    with temporary_settings(restore_defaults={PREFECT_API_URL}), runners._reachable_server():
        assert get_current_settings().api.url == server.api_url
        assert not runners.served()
    with temporary_settings({PREFECT_API_URL: server.api_url}), runners._reachable_server():
        assert runners.served()
