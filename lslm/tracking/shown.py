"""A run's report where people look for it: on its MLflow run, and on the version that it registered."""

from lslm.errors import InputError
from lslm.evaluation.card import model_card
from lslm.evaluation.markdown import markdown
from lslm.evaluation.page import page
from lslm.evaluation.report import RunReport
from lslm.settings import Settings
from lslm.tracking import approvals, verdicts
from lslm.tracking.logbook import log_stage, log_table
from lslm.tracking.registration import annotate
from lslm.tracking.reports import fetch_record
from lslm.tracking.store import Store
from lslm.tracking.versions import GATE, find


def show(store: Store, settings: Settings, report: RunReport) -> None:
    """Put the report there, with the decision as it now stands."""
    decision, card = report.decision, model_card(report, settings)
    log_table(store, report.run_id, "gate", [rule.model_dump() for rule in decision.table()])
    store.client.set_tag(report.run_id, GATE, decision.reason)
    log_stage(
        store,
        report.run_id,
        "report",
        {},
        {
            "report.md": markdown(report),
            "card.md": card,
            "report.html": page(report),
            "report.json": report.model_dump(mode="json"),
        },
    )
    tags = {GATE: decision.reason, **verdicts.as_tags(decision.rules)}
    annotate(store, report.model, report.version, card=card, tags=tags)


def show_answer(store: Store, name: str, version: str) -> tuple[Settings, RunReport] | None:
    """Put what a person said of a version into the report of its run; returns that run's settings and the report.

    None where nobody was asked, where the report tells it already, or where the run left none.
    """
    said, run_id = approvals.state(store, name, version), find(store, name, version).run_id or ""
    if said is None:
        return None
    try:
        settings, report = fetch_record(store, run_id)
    except InputError:
        return None
    if report.version != version or report.decision.approval == said:
        return None
    answered = report.model_copy(update={"decision": report.decision.after(said)})
    show(store, settings, answered)
    return settings, answered
