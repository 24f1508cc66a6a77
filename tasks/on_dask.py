"""Trials and folds on a Dask cluster: the one at an address, or one of this machine for the time of the run."""

import os
from contextlib import ExitStack
from typing import Any

import dask.base
import distributed
from prefect_dask.task_runners import DaskTaskRunner

from lslm.errors import InputError
from lslm.settings import ExecutionSettings
from lslm.training import workers


class Environment(distributed.WorkerPlugin):
    """Variables that each worker gets, those that join later too."""

    name = "lslm-environment"

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables

    def setup(self, worker: distributed.Worker) -> None:
        """Set them; what is loaded already keeps what it read."""
        os.environ.update(self.variables)


def opened(
    execution: ExecutionSettings, environment: dict[str, str], stack: ExitStack
) -> tuple[DaskTaskRunner, int]:
    """The task runner, and how many trials run at once; the cluster lives as long as the `stack`."""
    if execution.gpus:
        environment = environment | workers.SHARED_GPU
        # A resource that each of Dask's workers declares: `dask worker --resources GPU=1`.
        stack.enter_context(dask.base.annotate(resources={"GPU": execution.gpus}))
    if execution.address is None:
        number = execution.workers or workers.places(execution.cores, execution.gpus)
        cluster: Any = stack.enter_context(
            distributed.LocalCluster(
                n_workers=number,
                threads_per_worker=1,
                dashboard_address=":0",
                env=environment,
                resources={"GPU": len(workers.devices())} if execution.gpus else None,
            )
        )
        # The flow, and its task runner in it, travels with each task; a cluster object cannot.
        return DaskTaskRunner(address=cluster.scheduler_address), number
    return DaskTaskRunner(address=execution.address), _room(execution, environment)


def _room(execution: ExecutionSettings, environment: dict[str, str]) -> int:
    """Trials at once in the cluster: one a worker, since a fit has its process to itself."""
    address = execution.address
    try:
        with distributed.Client(address, timeout="30s", set_as_default=False) as client:
            client.register_plugin(Environment(environment))
            there = client.scheduler_info(n_workers=-1)["workers"].values()
    except OSError:
        raise InputError(
            f"no scheduler of Dask answers at {address}",
            where="execution.address",
            right="the address that `dask scheduler` prints, such as tcp://HOST:8786",
        ) from None
    fit = [each for each in there if each["resources"].get("GPU", 0) >= execution.gpus]
    if not fit:
        raise InputError(
            f"no worker at {address} has what a trial asks for",
            where="execution.gpus",
            right="workers started with `--resources GPU=1`",
        )
    return execution.workers or len(fit)
