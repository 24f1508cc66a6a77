"""The report of a run, put together from what its stages left."""

import json
from dataclasses import dataclass
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from lslm import planning
from lslm.corpus import sources
from lslm.evaluation import answers, scope
from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import calibrated
from lslm.evaluation.candidate import as_served, in_place_of_network
from lslm.evaluation.explaining import explanation
from lslm.evaluation.findings import Findings, findings
from lslm.evaluation.nested import Search, nested_scores
from lslm.evaluation.pooling import pool
from lslm.evaluation.report import (
    Costs,
    Decision,
    Made,
    NestedScores,
    OutOfScope,
    Provenance,
    RunReport,
)
from lslm.evaluation.scoring import score_folds, score_systems
from lslm.evaluation.slices import Answered
from lslm.evaluation.swapping import swap_effects
from lslm.evaluation.variation import variation
from lslm.heads.contract import Head
from lslm.provenance import environment
from lslm.serving.model_folder import ModelFolder
from lslm.serving.predictor import Predictor
from lslm.settings import EvaluationSettings, GateSettings, RegistrySettings
from lslm.workspace import Handle
from tasks import runners
from tasks.candidate import Models
from tasks.corpora import Parts
from tasks.nesting import Nested
from tasks.probes import load_explained, load_swapped
from tasks.searching import Found
from tasks.stage import Run, made
from tasks.variation import Varied


class Terms(BaseModel):
    """How a model is scored, judged and registered."""

    model_config = ConfigDict(frozen=True)

    evaluation: EvaluationSettings
    gate: GateSettings
    registry: RegistrySettings
    store: str
    """Where it is registered: what is done for one store is not done for another."""
    out_of_scope: str | None = None
    """Label of documents of no class."""
    licence: str | None = None
    """Of the documents, for the card."""


class Asides(BaseModel):
    """What was found out beside the scores."""

    model_config = ConfigDict(frozen=True)

    varied: Varied
    nested: Nested
    explained: Handle
    swaps: Handle


@dataclass(frozen=True)
class Material:
    """Everything that a report is made of."""

    run: Run
    head: Head
    corpus: Handle
    parts: Parts
    found: Found
    folds: list[Answers]
    asides: Asides
    models: Models
    held: Answers
    """For the holdout; the candidate's are those that it will serve."""
    terms: Terms

    @property
    def own_folds(self) -> list[Answers]:
        """The folds with the candidate in the network's place."""
        return in_place_of_network(self.folds, self.models.system)

    @property
    def own_held(self) -> Answers:
        """The holdout with the candidate in the network's place."""
        (held,) = in_place_of_network([self.held], self.models.system)
        return held


def reported(given: Material) -> RunReport:
    """The report of a run that nobody has decided on yet."""
    head, run, settings = given.head, given.run, given.terms.evaluation
    system, folds = given.models.system, as_served(head, given.folds, given.models.system)
    cleaning = json.loads((given.corpus.path / "report.json").read_text("utf-8"))
    split = json.loads(given.parts.report.path.read_text("utf-8"))
    return RunReport(
        pipeline=run.settings.name,
        run_id=run.run_id,
        head=head.name,
        goal=head.goal.metric,
        direction=head.goal.direction,
        corpus={"cleaning": cleaning, "split": split},
        embedding=_embedding(given.folds),
        search=given.found.summary,
        chosen=planning.dotted(given.found.hyperparameters),
        cross_validation=score_folds(head, folds, settings, system),
        holdout=score_systems(head, given.held, settings, system),
        model=run.settings.model_name,
        version="",
        system=system,
        decision=Decision(promoted=False, reason="not decided yet", rules=()),
        seconds=planning.seconds(run.workspace, run.settings.name),
        costs=_costs(run),
        provenance=_provenance(run),
        out_of_scope=_scope(given),
        **_findings(given),
        nested=_nested(given),
        **_told_of(head, given.asides, settings),
    )


def _nested(given: Material) -> NestedScores | None:
    nested = given.asides.nested
    return nested_scores(
        given.head,
        given.folds,
        [answers.load(handle.path) for handle in nested.answers],
        [_search(found) for found in nested.found],
        _search(given.found),
        given.terms.evaluation,
    )


def _search(found: Found) -> Search:
    return Search(planning.dotted(found.hyperparameters), found.summary)


def _costs(run: Run) -> Costs:
    stages = planning.costs(run.workspace, run.settings.name, made.get() or {}, run.run_id)
    return Costs(stages=tuple(stages), watts_per_core=run.settings.execution.watts_per_core)


def _provenance(run: Run) -> Provenance:
    return Provenance(
        base=str(run.base),
        sources=sources.fingerprints(run.settings.corpus, run.base, run.workspace),
        environment=environment(runners.width()),
        made=tuple(
            Made(stage=stage, name=name, digest=digest)
            for stage, names in (made.get() or {}).items()
            for name, digest in names.items()
        ),
    )


def _findings(given: Material) -> Findings:
    served = ModelFolder(given.models.candidate.path).description()
    return findings(
        given.head,
        given.own_folds,
        pl.read_parquet(given.parts.development.path),
        Answered(pl.read_parquet(given.parts.holdout.path), given.own_held),
        temperature=served.temperature,
        abstain_below=served.abstain_below,
        text=served.text,
        least=given.terms.gate.min_slice,
        settings=given.terms.evaluation,
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


def _scope(given: Material) -> OutOfScope | None:
    settings, label = given.terms.evaluation, given.terms.out_of_scope
    if label is None:
        return None
    pooled, held = pool(given.head, calibrated(given.head, given.own_folds)), given.own_held
    predictor = Predictor.load(given.models.candidate.path, cleans=False)
    marked = predictor.description.out_of_scope
    if marked is None:
        return scope.as_class(label, predictor.class_names, pooled, held, settings)
    outside = (
        _answered(predictor, given.parts.out_of_scope),
        _answered(predictor, given.parts.out_of_scope_holdout),
    )
    return scope.by_threshold(label, marked.below, pooled, held, outside, settings)


def _answered(predictor: Predictor, documents: Handle | None) -> scope.Strangers:
    if documents is None:
        return scope.Strangers(predictor.outputs([]))
    found = pl.read_parquet(documents.path, columns=["text", "group"])
    return scope.Strangers(predictor.outputs(found["text"].to_list()), found["group"].to_numpy())


def _embedding(folds: list[Answers]) -> dict[str, Any]:
    """What the words of a fold's training part cover of its validation part; its neighbours."""
    parts = [fold.part for fold in folds]
    read = parts[0].get("language_model")
    return {
        "vocabulary": [part["vocabulary"] for part in parts],
        "coverage": [part["coverage"]["validation"] for part in parts],
        "neighbours": parts[0]["neighbours"],
        "plane": parts[0]["plane"],
        **({"language_models": read["losses"]} if read else {}),
    }
