"""What the processes of a cluster are told, with fakes in the place of the cluster."""

from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from lslm.settings import ExecutionSettings

GIVEN = {"OMP_NUM_THREADS": "1"}
SHARED = {**GIVEN, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
BOTH = pytest.mark.parametrize(("gpus", "expected"), [(0, GIVEN), (0.5, SHARED)])
"""Shares of a GPU, and the variables of a process that gets one."""


def asked(runner: Any, gpus: float, **more: Any) -> ExecutionSettings:
    return ExecutionSettings(runner=runner, workers=2, gpus=gpus, **more)


@BOTH
def test_a_worker_of_dask_leaves_memory_of_its_gpu_to_others(
    gpus: float, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_dask = pytest.importorskip("tasks.on_dask")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    made: dict[str, Any] = {}

    @contextmanager
    def cluster(**options: Any) -> Any:
        made.update(options)
        yield SimpleNamespace(scheduler_address="tcp://127.0.0.1:1")

    monkeypatch.setattr(on_dask.distributed, "LocalCluster", cluster)
    with ExitStack() as stack:
        on_dask.opened(asked("dask", gpus), GIVEN, stack)
    assert made["env"] == expected


@BOTH
def test_so_does_one_of_a_cluster_at_an_address(
    gpus: float, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_dask = pytest.importorskip("tasks.on_dask")
    plugins: list[Any] = []
    client = SimpleNamespace(
        register_plugin=plugins.append,
        scheduler_info=lambda n_workers: {"workers": {"a": {"resources": {"GPU": 1}}}},
    )
    monkeypatch.setattr(on_dask.distributed, "Client", lambda *_, **__: nullcontext(client))
    with ExitStack() as stack:
        on_dask.opened(asked("dask", gpus, address="tcp://10.0.0.7:8786"), GIVEN, stack)
    assert [each.variables for each in plugins] == [expected]


@BOTH
def test_so_does_one_of_ray(
    gpus: float, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_ray = pytest.importorskip("tasks.on_ray")
    made: dict[str, Any] = {}
    monkeypatch.setattr(on_ray.ray, "init", lambda *_, **options: made.update(options))
    monkeypatch.setattr(on_ray.ray, "shutdown", lambda: None)
    with ExitStack() as stack:
        on_ray.opened(asked("ray", gpus), GIVEN, stack)
    assert made["runtime_env"] == {"env_vars": expected}
