"""Flow runs of processes that are gone are ended; those of processes that live are not."""

import os
import subprocess
import sys
from typing import Any

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.states import Running

from lslm import owners
from tasks import flow_runs

pytestmark = pytest.mark.usefixtures("prefect_server")


@task
def work() -> None:
    pass


@flow(name=flow_runs.FLOW)
def train() -> None:
    work()


def tags_of(**owner: str) -> list[str]:
    return [f"{name}={value}" for name, value in {**owners.mine(), **owner}.items()]


def left_running(**owner: str) -> Any:
    """A flow run, and a task in it, as a process with these tags leaves them when it is killed."""
    tags = tags_of(**owner)
    with get_client(sync_client=True) as client:
        flow_run = client.create_flow_run(train, state=Running(), tags=tags)
        client.create_task_run(work, flow_run_id=flow_run.id, dynamic_key="0", state=Running())
    return flow_run


def states(flow_run: Any) -> tuple[str, str]:
    here = FlowRunFilter.model_validate({"id": {"any_": [flow_run.id]}})
    with get_client(sync_client=True) as client:
        (task_run,) = client.read_task_runs(flow_run_filter=here)
        return client.read_flow_run(flow_run.id).state_name or "", task_run.state_name or ""


@pytest.fixture(scope="module")
def gone_pid() -> str:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return str(gone.pid)


def test_only_what_is_dead_is_ended(gone_pid: str) -> None:
    dead = left_running(**{owners.PID: gone_pid})
    reused = left_running(**{owners.BORN: "1000000000.00"})
    alive = left_running()
    elsewhere = left_running(**{owners.HOST: "elsewhere", owners.PID: gone_pid})
    flow_runs.end_dead()
    assert states(dead) == states(reused) == ("Crashed", "Crashed")
    assert states(alive) == states(elsewhere) == ("Running", "Running")


def test_a_deployment_s_run_that_is_tried_again_is_left_to_its_worker(gone_pid: str) -> None:
    tags = tags_of(**{owners.PID: gone_pid})
    with get_client(sync_client=True) as client:
        deployment = client.create_deployment(client.create_flow(train), "nightly")
        again = client.create_flow_run_from_deployment(deployment, tags=tags)
        flow_runs.end_dead()
        assert client.read_flow_run(again.id).state_name == "Scheduled"
        client.set_flow_run_state(again.id, Running(), force=True)
        flow_runs.end_dead()
        assert client.read_flow_run(again.id).state_name == "Crashed"


def test_a_flow_run_carries_its_process_a_worker_s_from_when_it_is_told() -> None:
    with flow_runs.marked():
        mine: Any = train(return_state=True)
    with get_client(sync_client=True) as client:
        marked = client.read_flow_run(mine.state_details.flow_run_id)
        assert f"{owners.PID}={os.getpid()}" in marked.tags
        theirs = client.create_flow_run(train, tags=["nightly", f"{owners.PID}=1"])
        flow_runs.mark(theirs)
        after = client.read_flow_run(theirs.id).tags
    assert {"nightly", f"{owners.PID}={os.getpid()}"} < set(after)
    assert f"{owners.PID}=1" not in after
