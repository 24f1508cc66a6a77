"""Flow runs in Prefect carry the process that does them, so that the next run can end those whose process is gone.

Prefect learns nothing of a process that was killed: its flow run and the tasks in it would stay RUNNING.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import prefect
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter, TaskRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

from lslm import owners

FLOW = "train"
_NOT_OVER = ["RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING"]
_PAGE = 200


@contextmanager
def marked() -> Iterator[None]:
    """Flow runs that begin in the block carry this process from their first moment."""
    with prefect.tags(*_tags()):
        yield


def own() -> FlowRun:
    """The flow run that this is called in."""
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    return context.flow_run


def mark(flow_run: FlowRun) -> None:
    """A flow run that began elsewhere, as at a worker, is done by this process now."""
    if not set(_tags()) <= set(flow_run.tags):
        kept = [tag for tag in flow_run.tags if _part(tag) not in owners.mine()]
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, tags=[*kept, *_tags()])


def end_dead() -> None:
    """End flow runs whose process on this machine is gone, with what was going on in them, as crashed.

    One that a worker is to begin again carries the process of the time before until it has begun.
    """
    with get_client(sync_client=True) as client:
        for flow_run in _unfinished(client):
            if owners.is_dead(_owner(flow_run)) and not _to_begin(flow_run):
                _end(client, flow_run.id)


def _end(client: SyncPrefectClient, flow_run: UUID) -> None:
    over: Any = Crashed(message="its process ended without a word")
    here = FlowRunFilter.model_validate({"id": {"any_": [flow_run]}})
    going_on = TaskRunFilter.model_validate({"state": {"type": {"any_": _NOT_OVER}}})
    # The flow run last: if this is cut off, the next run finds it again.
    ended: set[UUID] = set()
    while tasks := [
        task_run.id
        for task_run in client.read_task_runs(
            flow_run_filter=here, task_run_filter=going_on, limit=_PAGE
        )
        if task_run.id not in ended
    ]:
        for task_run in tasks:
            client.set_task_run_state(task_run, over, force=True)
        ended |= {*tasks}
    client.set_flow_run_state(flow_run, over, force=True)


def _unfinished(client: SyncPrefectClient) -> list[FlowRun]:
    """Flow runs that are not over. Those of a schedule that wait for their time carry no process."""
    return client.read_flow_runs(
        flow_filter=FlowFilter.model_validate({"name": {"any_": [FLOW]}}),
        flow_run_filter=FlowRunFilter.model_validate(
            {
                "state": {"type": {"any_": _NOT_OVER}},
                "tags": {"any_": [_tag(owners.HOST, owners.mine()[owners.HOST])]},
            }
        ),
        limit=_PAGE,
    )


def _to_begin(flow_run: FlowRun) -> bool:
    waits = flow_run.state_type in (StateType.SCHEDULED, StateType.PENDING)
    return waits and flow_run.deployment_id is not None


def _tags() -> list[str]:
    return [_tag(name, value) for name, value in owners.mine().items()]


def _tag(name: str, value: str) -> str:
    return f"{name}={value}"


def _part(tag: str) -> str:
    return tag.partition("=")[0]


def _owner(flow_run: FlowRun) -> Mapping[str, str]:
    return dict(tag.split("=", 1) for tag in flow_run.tags if "=" in tag)
