"""Trials and folds on a Ray cluster: the one at an address, or one of this machine for the time of the run."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

if (Path.home() / ".ray" / "auth_token").exists():
    # Where a token of Ray's lies, `ray start` asks for it; a driver shows it if this is set before the import.
    os.environ.setdefault("RAY_AUTH_MODE", "token")

import ray
from prefect_ray import RayTaskRunner
from prefect_ray.context import remote_options

from lslm.errors import InputError
from lslm.settings import ExecutionSettings
from lslm.training import workers


def opened(
    execution: ExecutionSettings, environment: dict[str, str], stack: ExitStack
) -> tuple[RayTaskRunner, int]:
    """The task runner, and how many trials run at once; the cluster lives as long as the `stack`."""
    if execution.gpus:
        # Ray shows each worker its GPU.
        environment = environment | workers.SHARED_GPU
    stack.enter_context(
        # A worker that died is replaced by Ray; the trial goes on from its last epoch there.
        remote_options(
            num_cpus=execution.cores,
            num_gpus=execution.gpus,
            max_retries=execution.worker_deaths,
        )
    )
    common: dict[str, Any] = {"log_to_driver": False, "runtime_env": {"env_vars": environment}}
    try:
        if execution.address is None:
            number = execution.workers or workers.places(execution.cores, execution.gpus)
            ray.init(num_cpus=number * execution.cores, include_dashboard=False, **common)
        else:
            ray.init(execution.address, **common)
    except ConnectionError:
        raise InputError(
            f"no cluster of Ray answers at {execution.address}",
            where="execution.address",
            right="auto, HOST:6379, or ray://HOST:10001 of `ray start --head`, and its token in RAY_AUTH_TOKEN",
        ) from None
    stack.callback(ray.shutdown)
    return RayTaskRunner(), execution.workers or _room(execution)


def _room(execution: ExecutionSettings) -> int:
    """Trials at once in the cluster."""
    there = ray.cluster_resources()
    room = there.get("CPU", 0) // execution.cores
    if execution.gpus:
        room = min(room, there.get("GPU", 0) // execution.gpus)
    if room < 1:
        raise InputError(
            "the cluster has not what one trial asks for",
            where="execution.cores, execution.gpus",
            right=f"at most CPU {there.get('CPU', 0):g} and GPU {there.get('GPU', 0):g}",
        )
    return int(room)
