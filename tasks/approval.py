"""The person's word after the last stage: the flow pauses until it is there.

Two doors lead to one answer: the form on Prefect's page, and `lslm approve` or `lslm refuse`, which
write to the registry alone. While the flow is paused it watches the registry, and its deadline.
"""

import contextvars
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from prefect.exceptions import NotPausedError
from prefect.flow_runs import pause_flow_run, resume_flow_run
from prefect.input import RunInput
from pydantic import Field

from lslm import progress, stopping
from lslm.errors import InputError
from lslm.evaluation.markdown import rules_table
from lslm.evaluation.report import Approval, RunReport
from lslm.tracking import approvals
from lslm.training import workers
from tasks import flow_runs
from tasks.registry import show
from tasks.runners import served
from tasks.stage import Run, leave, planner
from tasks.tracked import store_of

_LOOK = 5
"""Seconds between two looks at the registry, and at Prefect's server."""
_GRACE = 600
"""Seconds Prefect waits beyond the deadline, so that the refusal is ours and the flow ends well."""


class Answer(RunInput):
    """The form on Prefect's page."""

    decision: Literal["approve", "refuse"]
    reason: str = Field(
        min_length=1, max_length=1900, description="Kept in the registry's history."
    )
    name: str = Field(min_length=1, description="Who decides.")


def settled(run: Run, report: RunReport) -> RunReport:
    """The report with the person's answer, where one is to be asked; not a stage, never cached.

    Without a Prefect server nobody could reach the form: the version is left waiting, and
    `lslm approve` promotes it later. What was answered before is not asked again.
    """
    if planner.get() or report.decision.approval is None:
        return report
    said = approvals.state(store_of(run), report.model, report.version)
    if said is not None and said.state == "pending" and served():
        said = _asked(run, report, said)
    if said is None or said == report.decision.approval:
        return report
    decision = report.decision.after(said)
    report = report.model_copy(update={"decision": decision})
    show(run, report)
    leave(run, {"gate": f"# Gate, after approval\n\n{rules_table(decision)}"})
    return report


def _asked(run: Run, report: RunReport, said: Approval) -> Approval:
    """Pause until the answer is in the registry, and return it."""
    progress.stage(f"Wait for approval: lslm approve {report.model} {report.version} --reason ...")
    left = datetime.fromisoformat(said.until) - datetime.now(UTC)
    stopping.lift()
    workers.rest()
    run.workspace.step_aside(run.settings.name)
    form = Answer.with_initial_data(description=_description(report, said))
    with _watching(run, report, said, flow_runs.own().id):
        answer = pause_flow_run(
            wait_for_input=form,
            timeout=max(0, int(left.total_seconds())) + _GRACE,
            poll_interval=_LOOK,
            key="approval",
        )
    return _kept(run, report, answer)


def _kept(run: Run, report: RunReport, answer: Answer) -> Approval:
    """What the registry holds in the end; an answer that came too late, or in vain, says so there."""
    store = store_of(run)
    try:
        return approvals.answer(
            store,
            report.model,
            report.version,
            approve=answer.decision == "approve",
            why=answer.reason,
            who=answer.name,
        )
    except approvals.Overtaken as error:
        why = f"approved by {answer.name} ({answer.reason[:500]}), but {error.what}"
        return _refused(run, report, why, answer.name)
    except InputError:
        said = approvals.state(store, report.model, report.version)
        if said is None or said.state == "pending":
            raise
        return said


def _refused(run: Run, report: RunReport, why: str, who: str) -> Approval:
    """An approval that comes to nothing: the champion is no longer the one the gate compared with."""
    store, name, version = store_of(run), report.model, report.version
    said = approvals.state(store, name, version)
    if said is not None and said.state != "pending":
        return said
    return approvals.answer(store, name, version, approve=False, why=why, who=who)


def _description(report: RunReport, said: Approval) -> str:
    gate = report.decision.model_copy(update={"approval": None})
    return (
        f"## {report.model} version {report.version} passed the gate. Shall it be the champion?\n\n"
        f"{rules_table(gate)}\n\n"
        f"MLflow run `{report.run_id}`. Silence refuses at {said.until[:16].replace('T', ' ')} UTC."
    )


@contextmanager
def _watching(run: Run, report: RunReport, said: Approval, flow_run: UUID) -> Iterator[None]:
    """Resume the flow run when the registry holds an answer, or the deadline has passed."""
    over = threading.Event()
    here = contextvars.copy_context()
    arguments = (run, report, datetime.fromisoformat(said.until), flow_run, over)
    thread = threading.Thread(target=here.run, args=(_watch, *arguments), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _watch(
    run: Run, report: RunReport, until: datetime, flow_run: UUID, over: threading.Event
) -> None:
    while not over.wait(_LOOK):
        try:
            _look(run, report, until, flow_run)
        except Exception:
            # Whatever keeps the registry or the server from answering may be gone at the next look.
            logging.getLogger(__name__).warning("no look at the approval", exc_info=True)


def _look(run: Run, report: RunReport, until: datetime, flow_run: UUID) -> None:
    store = store_of(run)
    said = approvals.state(store, report.model, report.version)
    if said is not None and said.state == "pending" and datetime.now(UTC) > until:
        said = approvals.expire(store, report.model, report.version)
    if said is not None and said.state != "pending":
        _resume(flow_run, said)


def _resume(flow_run: UUID, said: Approval) -> None:
    """Fill in the form for the person who answered elsewhere."""
    decision = "approve" if said.state == "approved" else "refuse"
    answer = {"decision": decision, "reason": said.why or "no reason given", "name": said.who}
    # Not yet paused, or just resumed by the form.
    with suppress(NotPausedError):
        resume_flow_run(flow_run, run_input=answer)
