"""The last stage: score, report, register, and let the gate decide."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from lslm import heads, planning
from lslm.evaluation import answers
from lslm.evaluation.answers import Answers
from lslm.evaluation.card import model_card
from lslm.evaluation.front import front_rows
from lslm.evaluation.markdown import folds_table, gate_text, markdown, scores_table, told
from lslm.evaluation.report import (
    Decision,
    NestedScores,
    Rule,
    RunReport,
    Score,
    Scores,
)
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Head
from lslm.serving.predictor import Predictor
from lslm.settings import HeadSettings
from lslm.tracking import approvals, gate, registry, runs, shown, verdicts
from lslm.tracking.example import input_example
from lslm.tracking.logbook import dotted
from lslm.tracking.package import Candidate
from lslm.tracking.versions import OPPONENT
from lslm.workspace import Handle
from tasks.candidate import Models
from tasks.corpora import Parts
from tasks.models import Folds
from tasks.reported import Asides, Material, Terms, reported
from tasks.searching import Found
from tasks.stage import Pages, Run, stage
from tasks.tracked import store_of


def _pages(report: RunReport) -> Pages:
    folds = folds_table(report.cross_validation, report.goal)
    return {
        "folds": f"# Cross-validation: {report.goal}\n\n{folds}",
        "holdout": f"# Holdout\n\n{scores_table(report.holdout)}",
        "gate": f"# Gate: {report.model} version {report.version}\n\n{gate_text(report.decision)}",
        "report": markdown(report),
    }


@stage(
    "Register",
    modules=(
        "lslm.evaluation.scoring",
        "lslm.evaluation.findings",
        "lslm.evaluation.candidate",
        "lslm.evaluation.variation",
        "lslm.evaluation.nested",
        "lslm.evaluation.explaining",
        "lslm.evaluation.swapping",
        "lslm.evaluation.scope",
        "lslm.tracking.gate",
    ),
    pages=_pages,
)
def register(
    run: Run,
    corpus: Handle,
    parts: Parts,
    found: Found,
    folds: Folds,
    asides: Asides,
    models: Models,
    tested: Handle,
    head: HeadSettings,
    terms: Terms,
) -> RunReport:
    """Put everything a run shows on its MLflow run; register the model; promote it if it earned it.

    With `registry.approval` a version that earned it waits for a person (see `tasks.approval`).
    """
    store, kind, name = store_of(run), heads.get(head.kind), run.settings.model_name
    held = _as_served(models, parts, answers.load(tested.path))
    given = [answers.load(handle.path) for handle in folds.answers]
    material = Material(run, kind, corpus, parts, found, given, asides, models, held, terms)
    report = reported(material)
    challenger = _challenger(kind, models, parts, held, report.holdout)
    uses = runs.note_holdout_use(store, run.run_id, _documents_of(parts.holdout))
    seen = gate.gather(store, name, challenger, terms.gate, holdout_uses=uses, run_id=run.run_id)
    digest = hashlib.sha256(report.model_dump_json().encode()).hexdigest()
    version = registry.register(
        store,
        run.settings,
        Candidate(
            run_id=run.run_id,
            folder=models.candidate.path,
            head=kind,
            card=model_card(report, run.settings),
            input_example=input_example(models.network.path, terms.registry.input_example),
            report=digest,
            params=_params(models.system, found),
            score=f"{kind.goal.metric} {told(report.holdout.systems[models.system][kind.goal.metric])}",
            data={"development": parts.development.digest, "holdout": parts.holdout.digest},
        ),
    )
    decision = _decided(run, version, seen, terms)
    report = report.model_copy(update={"version": version, "decision": decision})
    _log(run, parts, found, report)
    show(run, report)
    return report


def show(run: Run, report: RunReport) -> None:
    """Put the report, with the decision as it now stands, where people look for it."""
    shown.show(store_of(run), run.settings, report)
    planning.remember_report(run.settings, run.workspace, report)


def _decided(run: Run, version: str, seen: gate.Evidence, terms: Terms) -> Decision:
    """Do what the gate said: promote, ask a person, or leave it."""
    store, name = store_of(run), run.settings.model_name
    expected = seen.champion.version if seen.champion else None
    decision = _said_before(run, version)
    if decision is None:
        decision = gate.decide(seen, terms.gate)
        tags = {OPPONENT: expected or "", **verdicts.as_tags(decision.rules)}
        registry.annotate(store, name, version, tags=tags)
    if not decision.promoted:
        return decision
    if terms.registry.approval:
        said = approvals.ask(store, name, version, terms.registry.approval_timeout)
        return decision.after(said)
    try:
        registry.promote(store, name, version, decision.reason, expected=expected)
    except registry.Overtaken as error:
        rule = Rule(
            name="nobody was faster", passed=False, figures=error.what, limit="the champion stays"
        )
        reason = f"not promoted: {error.what}"
        rules = (*decision.rules, rule)
        return decision.model_copy(update={"promoted": False, "reason": reason, "rules": rules})
    return decision


def _said_before(run: Run, version: str) -> Decision | None:
    """What the gate said before the run was cut off, where the version is champion since, or a person was asked:
    a person answers for that comparison, and the champion of now may be another one.
    """
    store, name = store_of(run), run.settings.model_name
    rules = verdicts.kept(store, name, version)
    if not rules:
        return None
    stands = registry.champion(store, name) == version or approvals.state(store, name, version)
    return gate.judged(rules) if stands else None


def _as_served(models: Models, parts: Parts, tested: Answers) -> Answers:
    """The holdout's answers; those of the candidate as it will serve them."""
    if models.system == NETWORK:
        return tested
    texts: list[str] = pl.read_parquet(parts.holdout.path, columns=["text"])["text"].to_list()
    outputs = Predictor.load(models.candidate.path, cleans=False).outputs(texts)
    return replace(tested, outputs={**tested.outputs, models.system: outputs})


def _documents_of(holdout: Handle) -> str:
    """A digest of the holdout's documents alone: numbers and groups in its file are those of a whole corpus."""
    found = pl.read_parquet(holdout.path, columns=["fingerprint"])["fingerprint"].sort()
    return hashlib.sha256(found.to_numpy().tobytes()).hexdigest()


def _challenger(
    head: Head, models: Models, parts: Parts, held: Answers, scores: Scores
) -> gate.Challenger:
    """The candidate with its answers for the holdout."""
    return gate.Challenger(
        head=head,
        folder=models.candidate.path,
        documents=pl.read_parquet(parts.holdout.path),
        outputs=held.outputs[models.system],
        targets=held.targets,
        scores=scores,
        system=models.system,
    )


def _log(run: Run, parts: Parts, found: Found, report: RunReport) -> None:
    store = store_of(run)
    runs.log_chosen(store, run.run_id, found.hyperparameters)
    runs.note_system(store, run.run_id, report.system)
    model_id = registry.logged_model(store, report.model, report.version)
    for part, data, handle, scores in (
        ("cv", "development", parts.development, report.cross_validation),
        ("holdout", "holdout", parts.holdout, report.holdout),
    ):
        name = f"{run.settings.name} {data}"
        runs.log_dataset(
            store,
            run.run_id,
            name=name,
            digest=handle.digest,
            path=handle.path,
            context=data,
            n=len(pl.read_parquet(handle.path, columns=["id"])),
        )
        own = _own(scores.systems[report.system])
        measured = runs.Measured(model_id, name, handle.digest)
        runs.log_stage(store, run.run_id, part, own, measured=measured)
        runs.log_stage(store, run.run_id, part, _others(scores, report.system))
    runs.log_table(store, run.run_id, "folds", _fold_rows(report))
    if front := front_rows(found.summary):
        runs.log_table(store, run.run_id, "front", front)
    runs.log_stage(store, run.run_id, "calibration", _confidence(report))
    if report.nested:
        runs.log_stage(store, run.run_id, "nested", _nested(report.nested))
        runs.log_table(store, run.run_id, "nested", _choice_rows(report.nested))
    counts = {key: value for key, value in found.summary.items() if isinstance(value, (int, float))}
    runs.log_stage(
        store,
        run.run_id,
        "report",
        {f"search_{key}": float(value) for key, value in counts.items()},
    )


def _own(scores: Mapping[str, Score]) -> dict[str, float]:
    """Scores of what is registered, each with the ends of its interval."""
    return {metric: score.value for metric, score in scores.items()} | _ends(scores)


def _others(scores: Scores, system: str) -> dict[str, float]:
    """Scores of the systems that it was compared with, under their names."""
    return {
        f"{metric}/{other}": score.value
        for other, values in scores.systems.items()
        if other != system
        for metric, score in values.items()
    }


def _params(system: str, found: Found) -> dict[str, Any]:
    """What the model was made by; the search chose for the network alone."""
    chosen = dotted(found.hyperparameters.model_dump(mode="json")) if system == NETWORK else {}
    return {"system": system, **chosen}


def _confidence(report: RunReport) -> dict[str, float]:
    """Numbers only: errors quote text, which stays in the report."""
    found: dict[str, float] = {}
    if report.calibration:
        found["temperature"] = report.calibration.temperature
        found["by_chance"] = report.calibration.by_chance
    if report.abstention:
        found["coverage"] = report.abstention.coverage.value
        if report.abstention.accuracy:
            found["accuracy_answered"] = report.abstention.accuracy.value
    return found


def _nested(found: NestedScores) -> dict[str, float]:
    """The nested scores and the optimism, each with the ends of its interval."""
    told_of = {**found.scores, "optimism": found.optimism}
    values = {name: score.value for name, score in found.scores.items()}
    return values | {"optimism": found.optimism.difference} | _ends(told_of)


def _ends(intervals: Mapping[str, Any]) -> dict[str, float]:
    """The ends of each number's interval."""
    return {
        f"{name}_{end}": getattr(of, end)
        for name, of in intervals.items()
        for end in ("low", "high")
    }


def _choice_rows(found: NestedScores) -> list[dict[str, Any]]:
    return [
        {"fold": number, "value": each.value, "best": each.best, "n": each.n, **each.chosen}
        for number, each in enumerate(found.choices)
    ]


def _fold_rows(report: RunReport) -> list[dict[str, Any]]:
    return [
        {"fold": number, "system": system, **values}
        for number, systems in enumerate(report.cross_validation.folds)
        for system, values in systems.items()
    ]
