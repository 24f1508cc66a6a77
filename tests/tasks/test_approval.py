"""The flow's pause for a person, with a fake in the place of Prefect and of the registry."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.exceptions import NotPausedError

from lslm import stopping
from lslm.errors import InputError
from lslm.evaluation.report import Approval, Decision, Rule
from lslm.settings import Settings
from tasks import approval, flow_runs
from tasks.approval import Answer, settled
from tasks.stage import Planner, Run, Unknown, planner
from tests.cli.samples import REPORT


def moment(seconds: float = 60) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"


PENDING = Approval(state="pending", until=moment(3600))
RUN = Run(settings=Settings(name="imdb"), base=Path(), run_id="abc")


def report_of(said: Approval | None):
    rules = (Rule(name="floor", passed=True, figures="0.81 against 0.80", limit="better"),)
    decision = Decision(promoted=False, reason="passed", rules=rules, approval=said)
    return REPORT.model_copy(update={"decision": decision})


class Registry:
    """Says and hears answers, as `lslm.tracking.approvals` does."""

    Overtaken = type("Overtaken", (InputError,), {})

    def __init__(self, said: Approval) -> None:
        self.said, self.late, self.overtaken = said, False, False

    def state(self, store, name, version):
        return self.said

    def answer(self, store, name, version, *, approve, why, who=None):
        if self.said.state != "pending":
            raise InputError("was answered")
        if approve and self.overtaken:
            raise self.Overtaken("the champion is now version 9")
        return self.settle("approved" if approve else "refused", why, who)

    def expire(self, store, name, version):
        return self.settle("refused", "no answer", "nobody")

    def settle(self, state, why, who):
        update = {"state": state, "why": why, "who": who, "when": moment(0)}
        self.said = self.said.model_copy(update=update)
        return self.said


@pytest.fixture
def shown(monkeypatch):
    """Reports that were put where people look."""
    found = []
    monkeypatch.setattr(approval, "show", lambda run, report: found.append(report))
    monkeypatch.setattr(approval, "store_of", lambda run: None)
    monkeypatch.setattr(approval, "_LOOK", 0.01)
    return found


@pytest.fixture
def world(monkeypatch, shown):
    """A registry, and a Prefect whose paused flow is resumed by the form or by the watcher."""
    registry, resumed, asked = Registry(PENDING), threading.Event(), []
    flow_run = SimpleNamespace(id=uuid4())
    context = SimpleNamespace(get=lambda: SimpleNamespace(flow_run=flow_run))
    form = {}

    def resume(flow_run_id, run_input):
        assert flow_run_id == flow_run.id
        if resumed.is_set():
            raise NotPausedError
        form.update(run_input)
        resumed.set()

    def pause(wait_for_input, timeout, poll_interval, key):
        asked.append((wait_for_input, timeout, key))
        assert resumed.wait(10), "nobody answered"
        return Answer(**form)

    monkeypatch.setattr(approval, "approvals", registry)
    monkeypatch.setattr(flow_runs, "FlowRunContext", context)
    monkeypatch.setattr(approval, "pause_flow_run", pause)
    monkeypatch.setattr(approval, "resume_flow_run", resume)
    monkeypatch.setattr(approval, "served", lambda: True)
    fill = lambda **answer: resume(flow_run.id, answer)  # noqa: E731
    return SimpleNamespace(registry=registry, asked=asked, fill=fill, shown=shown)


@pytest.mark.parametrize(
    ("decision", "state", "promoted"),
    [("approve", "approved", True), ("refuse", "refused", False)],
)
def test_the_form_on_prefect_s_page_decides(world, decision, state, promoted):
    world.fill(decision=decision, reason="read it", name="ada")
    report = settled(RUN, report_of(PENDING))
    assert (report.decision.approval.state, report.decision.promoted) == (state, promoted)
    assert report.decision.reason == f"passed the gate, {state} by ada: read it"
    assert report.decision.table()[-1].figures == "ada: read it"
    assert world.shown == [report]


def test_an_answer_in_the_registry_ends_the_pause(world):
    timer = threading.Timer(0.05, world.registry.settle, ("approved", "by command", "bob"))
    timer.start()
    report = settled(RUN, report_of(PENDING))
    assert report.decision.promoted
    assert report.decision.approval.who == "bob"


def test_the_deadline_refuses(world):
    past = PENDING.model_copy(update={"until": moment(-1)})
    world.registry.said = past
    report = settled(RUN, report_of(past))
    assert (report.decision.approval.state, report.decision.promoted) == ("refused", False)
    assert report.decision.approval.who == "nobody"


def test_an_approval_overtaken_meanwhile_is_a_refusal_that_says_so(world):
    world.registry.overtaken = True
    world.fill(decision="approve", reason="read it", name="ada")
    said = settled(RUN, report_of(PENDING)).decision.approval
    assert said.state == "refused"
    assert said.why == "approved by ada (read it), but the champion is now version 9"


def test_a_registry_that_does_not_answer_is_asked_again(world, monkeypatch):
    looks = []

    def state(store, name, version):
        looks.append(version)
        if len(looks) in (2, 3):
            raise ConnectionError("away")
        if len(looks) == 4:
            world.registry.settle("refused", "no", "bob")
        return world.registry.said

    monkeypatch.setattr(world.registry, "state", state)
    assert settled(RUN, report_of(PENDING)).decision.approval.who == "bob"


def test_the_form_shows_the_table_and_wants_a_reason_and_a_name(world):
    world.fill(decision="refuse", reason="no", name="ada")
    settled(RUN, report_of(PENDING))
    (form, timeout, key), *_ = world.asked
    assert "| floor | yes | 0.81 against 0.80 | better |" in form._description
    assert form.model_json_schema()["required"] == ["decision", "reason", "name"]
    assert (key, timeout) == ("approval", pytest.approx(4200, abs=600))
    with pytest.raises(ValueError):
        Answer(decision="approve", reason="", name="ada")


def test_the_limit_of_a_run_ends_before_it_waits_for_a_person(world):
    ended = []

    @contextmanager
    def limit():
        yield
        ended.append(len(world.asked))

    world.fill(decision="approve", reason="read it", name="ada")
    with stopping.limited(limit()):
        settled(RUN, report_of(PENDING))
    assert ended == [0]


def test_what_was_answered_is_not_asked_again(world):
    world.registry.settle("approved", "long ago", "ada")
    report = settled(RUN, report_of(PENDING))
    assert report.decision.promoted
    assert world.asked == []


def test_without_a_server_the_version_is_left_waiting(world, monkeypatch):
    monkeypatch.setattr(approval, "served", lambda: False)
    report = report_of(PENDING)
    assert settled(RUN, report) is report
    assert (world.asked, world.shown) == ([], [])


def test_nobody_is_asked_where_the_gate_decided(world):
    report = report_of(None)
    assert settled(RUN, report) is report
    assert world.asked == []


def test_a_plan_asks_nobody(world):
    token = planner.set(Planner())
    try:
        unknown = Unknown()
        assert settled(RUN, unknown) is unknown
    finally:
        planner.reset(token)
    assert world.asked == []
