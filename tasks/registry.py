"""The last stage: score, report, register, and let the gate decide."""

import hashlib
import json
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from lslm import heads, planning
from lslm.corpus import sources
from lslm.evaluation import answers, scope
from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import calibrated
from lslm.evaluation.card import model_card
from lslm.evaluation.explaining import explanation
from lslm.evaluation.findings import Findings, findings
from lslm.evaluation.markdown import folds_table, gate_text, markdown, scores_table, told
from lslm.evaluation.page import page
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import (
    Costs,
    Decision,
    FoldScores,
    Made,
    OutOfScope,
    Provenance,
    Rule,
    RunReport,
    Scores,
)
from lslm.evaluation.scoring import NETWORK, score_folds, score_systems
from lslm.evaluation.slices import Answered
from lslm.evaluation.swapping import swap_effects
from lslm.evaluation.variation import variation
from lslm.heads.contract import Array, Goal, Head
from lslm.provenance import environment
from lslm.serving.model_folder import ModelFolder
from lslm.serving.predictor import Predictor
from lslm.settings import EvaluationSettings, GateSettings, HeadSettings, RegistrySettings
from lslm.tracking import approvals, gate, registry, runs
from lslm.tracking.example import input_example
from lslm.tracking.package import Candidate
from lslm.tracking.versions import GATE, OPPONENT, RULES
from lslm.training import workers
from lslm.workspace import Handle
from tasks.candidate import Models
from tasks.corpora import Parts
from tasks.models import Folds, Found
from tasks.probes import load_explained, load_swapped
from tasks.stage import Pages, Run, made, stage
from tasks.tracked import store_of
from tasks.variation import Varied


class Terms(BaseModel):
    """How a model is scored, judged and registered."""

    model_config = ConfigDict(frozen=True)

    evaluation: EvaluationSettings
    gate: GateSettings
    registry: RegistrySettings


class Asides(BaseModel):
    """What was found out beside the scores."""

    model_config = ConfigDict(frozen=True)

    varied: Varied
    explained: Handle
    swaps: Handle


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
    modules=("lslm.evaluation.scoring", "lslm.evaluation.findings", "lslm.tracking.gate"),
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
    given = [answers.load(handle.path) for handle in folds.answers]
    cross_validation = score_folds(kind, calibrated(kind, given), terms.evaluation)
    held = answers.load(tested.path)
    found_out = _findings(kind, models.network, parts, given, held, terms)
    holdout = score_systems(kind, held, terms.evaluation)
    challenger = _challenger(kind, models, parts, held, holdout)
    uses = runs.note_holdout_use(store, run.run_id, parts.holdout.digest)
    seen = gate.gather(store, name, challenger, terms.gate, holdout_uses=uses, run_id=run.run_id)
    report = _report(
        run, corpus, parts, found, given, kind.goal, cross_validation, holdout, found_out
    )
    report = report.model_copy(
        update={
            **_told_of(kind, asides, terms.evaluation),
            "out_of_scope": _scope(run, kind, models, parts, given, held),
            "system": models.system,
        }
    )
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
            score=f"{kind.goal.metric} {told(holdout.systems[models.system][kind.goal.metric])}",
            data={"development": parts.development.digest, "holdout": parts.holdout.digest},
        ),
    )
    decision = _decided(run, version, gate.decide(seen, terms.gate), seen.champion, terms.registry)
    report = report.model_copy(update={"version": version, "decision": decision})
    _log(run, parts, found, report)
    show(run, report)
    return report


def show(run: Run, report: RunReport) -> None:
    """Put the report, with the decision as it now stands, where people look for it."""
    store, decision = store_of(run), report.decision
    card, table = model_card(report, run.settings), decision.table()
    runs.log_table(store, report.run_id, "gate", [rule.model_dump() for rule in table])
    store.client.set_tag(report.run_id, GATE, decision.reason)
    runs.log_stage(
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
    rules = json.dumps([rule.model_dump() for rule in decision.rules], ensure_ascii=False)
    registry.annotate(
        store,
        report.model,
        report.version,
        card=card,
        tags={GATE: decision.reason, RULES: rules},
    )
    planning.remember_report(run.settings, run.workspace, report)


def _decided(
    run: Run,
    version: str,
    decision: Decision,
    opponent: gate.Opponent | None,
    settings: RegistrySettings,
) -> Decision:
    """Do what the gate said: promote, ask a person, or leave it."""
    if not decision.promoted:
        return decision
    store, name = store_of(run), run.settings.model_name
    expected = opponent.version if opponent else None
    if settings.approval:
        registry.annotate(store, name, version, tags={OPPONENT: expected or ""})
        approval = approvals.ask(store, name, version, settings.approval_timeout)
        return decision.model_copy(
            update={"promoted": False, "reason": "passed the gate", "approval": approval}
        )
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


def _challenger(
    head: Head, models: Models, parts: Parts, held: Answers, scores: Scores
) -> gate.Challenger:
    """The candidate with its answers for the holdout, as it will serve them."""
    documents = pl.read_parquet(parts.holdout.path)
    outputs = held.outputs[models.system]
    if models.system != NETWORK:
        outputs = Predictor.load(models.candidate.path).outputs(documents["text"].to_list())
    return gate.Challenger(
        head=head,
        folder=models.candidate.path,
        documents=documents,
        outputs=outputs,
        targets=held.targets,
        scores=scores,
        system=models.system,
    )


def _findings(
    head: Head, model: Handle, parts: Parts, folds: list[Answers], held: Answers, terms: Terms
) -> Findings:
    served = ModelFolder(model.path).description()
    return findings(
        head,
        folds,
        pl.read_parquet(parts.development.path),
        Answered(pl.read_parquet(parts.holdout.path), held),
        temperature=served.temperature,
        abstain_below=served.abstain_below,
        text=served.text,
        least=terms.gate.min_slice,
        settings=terms.evaluation,
    )


def _told_of(head: Head, asides: Asides, settings: EvaluationSettings) -> dict[str, Any]:
    """Fields of the report that say what was found beside the scores."""
    curve, seeds = (
        [answers.load(handle.path) for handle in handles]
        for handles in (asides.varied.curve, asides.varied.seeds)
    )
    return {
        "variation": variation(head, curve, seeds, settings),
        "explanation": explanation(load_explained(asides.explained.path), settings),
        "swaps": swap_effects(load_swapped(asides.swaps.path), settings),
    }


def _scope(
    run: Run, head: Head, models: Models, parts: Parts, folds: list[Answers], held: Answers
) -> OutOfScope | None:
    settings, cut = run.settings.evaluation, run.settings.split
    if cut.out_of_scope is None:
        return None
    pooled, predictor = pool(calibrated(head, folds)), Predictor.load(models.network.path)
    marked = predictor.description.out_of_scope
    if marked is None:
        labels = predictor.class_names
        return scope.as_class(cut.out_of_scope, labels, pooled, held, settings)
    outside = (
        _answered(predictor, parts.out_of_scope),
        _answered(predictor, parts.out_of_scope_holdout),
    )
    return scope.by_threshold(marked.label, marked.below, pooled, held, outside, settings)


def _answered(predictor: Predictor, documents: Handle | None) -> Array:
    texts = pl.read_parquet(documents.path)["text"].to_list() if documents else []
    return predictor.outputs(texts)


def _report(
    run: Run,
    corpus: Handle,
    parts: Parts,
    found: Found,
    folds: list[Answers],
    goal: Goal,
    cross_validation: FoldScores,
    holdout: Scores,
    found_out: Findings,
) -> RunReport:
    cleaning = json.loads((corpus.path / "report.json").read_text("utf-8"))
    split = json.loads(parts.report.path.read_text("utf-8"))
    noted = made.get() or {}
    settings, workspace = run.settings, run.workspace
    costs = planning.costs(workspace, settings.name, noted, run.run_id)
    return RunReport(
        pipeline=run.settings.name,
        run_id=run.run_id,
        goal=goal.metric,
        direction=goal.direction,
        corpus={"cleaning": cleaning, "split": split},
        embedding=_embedding(folds),
        search=found.summary,
        chosen=planning.dotted(found.hyperparameters),
        cross_validation=cross_validation,
        holdout=holdout,
        model=run.settings.model_name,
        version="",
        decision=Decision(promoted=False, reason="not decided yet", rules=()),
        seconds=planning.seconds(workspace, settings.name),
        costs=Costs(stages=tuple(costs), watts_per_core=settings.execution.watts_per_core),
        provenance=Provenance(
            base=str(run.base),
            sources=sources.fingerprints(settings.corpus, run.base, workspace),
            environment=environment(workers.shared().number),
            made=tuple(
                Made(stage=stage, name=name, digest=digest)
                for stage, names in noted.items()
                for name, digest in names.items()
            ),
        ),
        **found_out,
    )


def _embedding(folds: list[Answers]) -> dict[str, Any]:
    """What the words of a fold's training part cover of its validation part; its neighbours."""
    parts = [fold.part for fold in folds]
    return {
        "vocabulary": [part["vocabulary"] for part in parts],
        "coverage": [part["coverage"]["validation"] for part in parts],
        "neighbours": parts[0]["neighbours"],
        "plane": parts[0]["plane"],
    }


def _log(run: Run, parts: Parts, found: Found, report: RunReport) -> None:
    store = store_of(run)
    for name, handle in (("development", parts.development), ("holdout", parts.holdout)):
        n = len(pl.read_parquet(handle.path, columns=["id"]))
        runs.log_dataset(
            store,
            run.run_id,
            name=f"{run.settings.name} {name}",
            digest=handle.digest,
            path=handle.path,
            context=name,
            n=n,
        )
    runs.log_chosen(store, run.run_id, found.hyperparameters)
    for part, scores in (("cv", report.cross_validation), ("holdout", report.holdout)):
        metrics = {
            f"{metric}{'' if system == 'network' else f'/{system}'}": score.value
            for system, values in scores.systems.items()
            for metric, score in values.items()
        }
        intervals = {
            f"{metric}_{end}": getattr(score, end)
            for metric, score in scores.systems["network"].items()
            for end in ("low", "high")
        }
        runs.log_stage(store, run.run_id, part, metrics | intervals)
    runs.log_table(store, run.run_id, "folds", _fold_rows(report))
    runs.log_stage(store, run.run_id, "calibration", _confidence(report))
    counts = {key: value for key, value in found.summary.items() if isinstance(value, (int, float))}
    runs.log_stage(
        store,
        run.run_id,
        "report",
        {f"search_{key}": float(value) for key, value in counts.items()},
    )


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


def _fold_rows(report: RunReport) -> list[dict[str, Any]]:
    return [
        {"fold": number, "system": system, **values}
        for number, systems in enumerate(report.cross_validation.folds)
        for system, values in systems.items()
    ]
