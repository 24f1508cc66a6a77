"""The last stage: score, report, register, and let the gate decide."""

import hashlib
import json
from typing import Any

import polars as pl

from lslm import heads, planning
from lslm.evaluation import answers
from lslm.evaluation.card import model_card
from lslm.evaluation.markdown import markdown, told
from lslm.evaluation.report import Decision, FoldScores, RunReport, Scores
from lslm.evaluation.scoring import score_folds, score_systems
from lslm.settings import EvaluationSettings, HeadSettings, RegistrySettings
from lslm.tracking import gate, promotion, registry, runs
from lslm.tracking.package import Candidate
from lslm.workspace import Handle
from tasks.corpora import Parts
from tasks.models import Folds, Found
from tasks.stage import Run, stage
from tasks.tracked import store_of


@stage("Register", modules=("lslm.evaluation.scoring", "lslm.tracking.gate"))
def register(
    run: Run,
    corpus: Handle,
    parts: Parts,
    found: Found,
    folds: Folds,
    model: Handle,
    tested: Handle,
    head: HeadSettings,
    evaluation: EvaluationSettings,
    settings: RegistrySettings,
) -> RunReport:
    """Put everything a run shows on its MLflow run; register the model; promote it if it earned it."""
    store, kind = store_of(run), heads.get(head.kind)
    cross_validation = _fold_scores(folds, head, evaluation)
    held = answers.load(tested.path)
    holdout = score_systems(kind, held, evaluation)
    uses = runs.note_holdout_use(store, run.run_id, parts.holdout.digest)
    documents = pl.read_parquet(parts.holdout.path)
    champion = gate.compare_with_champion(
        store,
        run.settings.model_name,
        documents,
        kind,
        held.outputs["network"],
        held.targets,
        run.run_id,
    )
    decision = gate.decide(
        head=kind, scores=holdout, settings=settings, champion=champion, holdout_uses=uses
    )
    report = _report(run, corpus, parts, found, folds, kind.goal.metric, cross_validation, holdout)
    digest = hashlib.sha256(report.model_dump_json().encode()).hexdigest()
    version = registry.register(
        store,
        run.settings,
        Candidate(
            run_id=run.run_id,
            folder=model.path,
            head=kind,
            card=model_card(report, run.settings),
            input_example=[text[:500] for text in documents["text"].head(3)],
            report=digest,
            score=f"{kind.goal.metric} {told(holdout.systems['network'][kind.goal.metric])}",
            data={"development": parts.development.digest, "holdout": parts.holdout.digest},
        ),
    )
    if decision.promoted:
        promotion.promote(store, run.settings.model_name, version, decision.reason)
    report = report.model_copy(update={"version": version, "decision": decision})
    registry.annotate(
        store,
        run.settings.model_name,
        version,
        card=model_card(report, run.settings),
        tags={"lslm.gate": decision.reason},
    )
    _log(run, parts, found, report)
    planning.remember_report(run.settings, run.workspace, report)
    return report


def _fold_scores(folds: Folds, head: HeadSettings, evaluation: EvaluationSettings) -> FoldScores:
    loaded = [answers.load(handle.path) for handle in folds.answers]
    return score_folds(
        heads.get(head.kind),
        loaded,
        evaluation,
    )


def _report(
    run: Run,
    corpus: Handle,
    parts: Parts,
    found: Found,
    folds: Folds,
    goal: str,
    cross_validation: FoldScores,
    holdout: Scores,
) -> RunReport:
    cleaning = json.loads((corpus.path / "report.json").read_text("utf-8"))
    split = json.loads(parts.report.path.read_text("utf-8"))
    return RunReport(
        pipeline=run.settings.name,
        run_id=run.run_id,
        goal=goal,
        corpus={"cleaning": cleaning, "split": split},
        embedding=_embedding(folds),
        search=found.summary,
        chosen=planning.dotted(found.hyperparameters),
        cross_validation=cross_validation,
        holdout=holdout,
        model=run.settings.model_name,
        version="",
        decision=Decision(promoted=False, reason="not decided yet", rules=()),
        seconds=planning.seconds(run.workspace, run.settings.name),
    )


def _embedding(folds: Folds) -> dict[str, Any]:
    """What the words of a fold's training part cover of its validation part; its neighbours."""
    parts = [answers.load(handle.path).part for handle in folds.answers]
    return {
        "vocabulary": [part["vocabulary"] for part in parts],
        "coverage": [part["coverage"]["validation"] for part in parts],
        "neighbours": parts[0]["neighbours"],
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
    runs.log_table(store, run.run_id, "gate", [rule.model_dump() for rule in report.decision.rules])
    counts = {key: value for key, value in found.summary.items() if isinstance(value, (int, float))}
    runs.log_stage(
        store,
        run.run_id,
        "report",
        {f"search_{key}": float(value) for key, value in counts.items()},
        {"report.md": markdown(report), "report.json": report.model_dump(mode="json")},
    )


def _fold_rows(report: RunReport) -> list[dict[str, Any]]:
    return [
        {"fold": number, "system": system, **values}
        for number, systems in enumerate(report.cross_validation.folds)
        for system, values in systems.items()
    ]
