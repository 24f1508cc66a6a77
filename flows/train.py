"""The flow `train`: raw text all the way to a registered model."""

from pathlib import Path
from typing import Any

from prefect import flow

from lslm import heads
from lslm.evaluation.report import RunReport
from lslm.serving.recipe import Serving
from lslm.settings import Hyperparameters, Settings
from lslm.unfinished import claim_temporary
from lslm.workspace import Workspace
from tasks import (
    approval,
    candidate,
    corpora,
    embeddings,
    flow_runs,
    models,
    nesting,
    probes,
    registry,
    reported,
    runners,
    scope,
    searching,
    tracked,
    variation,
)
from tasks.stage import gathered


@flow(name="train", flow_run_name="train {settings.name}", validate_parameters=False)
def train(settings: Settings, base: Path) -> RunReport:
    """Take raw text all the way to a registered model."""
    head, learned = settings.head, settings.embedding
    serving = Serving.of(settings)
    options = heads.options(head).model_dump(mode="json")
    start = Hyperparameters(encoder=settings.encoder, training=settings.training, head=options)
    baselines = settings.evaluation.baselines
    kind = heads.get(head.kind)
    baselines = tuple(kind.baselines) if baselines is None else baselines
    with tracked.opened(settings, base) as run:
        files = corpora.fingerprints(run)
        corpus = corpora.clean(
            run, files, settings.corpus, settings.cleaning, kind.needs_label, kind.extras
        )
        parts = corpora.split(
            run,
            corpus,
            settings.split,
            settings.evaluation.folds,
            kind.needs_label,
            kind.blocked,
        )
        tokens = corpora.tokenize(run, parts.development, parts.outside, settings.text, head)
        vectors = embeddings.pretrain(run, tokens.outside, learned)
        language = embeddings.Language.of(settings)
        read = embeddings.pretrain_language_model(
            run, tokens.outside, vectors, learned.outside_words, language
        )
        pretrained = embeddings.together(vectors, language, read)
        data = (parts.development, tokens.development, pretrained, learned, head)
        found = searching.search(run, *data, start, settings.search, serving)
        chosen = found.hyperparameters
        in_folds: Any = gathered(settings.in_folds, chosen=chosen)
        folds = models.cross_validate(
            run, *data, in_folds, settings.evaluation.folds, settings.evaluation.seed, baselines
        )
        nested = nesting.nest(
            run, *data, start, settings.search, nesting.Nesting.of(settings.evaluation)
        )
        variants = variation.Variants.of(settings.evaluation)
        varied = variation.vary(run, *data, in_folds, baselines, variants)
        looked = probes.Explaining.of(settings.evaluation)
        explained = probes.explain_answers(run, *data, in_folds, serving, looked)
        fitted = models.fit(run, *data, chosen, serving)
        network = models.calibrate(run, fitted, folds, head, settings.evaluation.wanted_accuracy)
        put = candidate.put_forward(
            run,
            network,
            parts.development,
            folds,
            head,
            settings.registry.candidate,
            settings.evaluation.wanted_accuracy,
            settings.evaluation.seed,
        )
        put = scope.tell_apart(
            run, put, folds, parts.out_of_scope, settings.split.out_of_scope, head
        )
        tested = models.evaluate(
            run,
            put.network,
            parts.development,
            parts.holdout,
            head,
            baselines,
            settings.evaluation.seed,
        )
        swaps = probes.swap_words(run, put.candidate, parts.holdout, settings.evaluation.swaps)
        asides: Any = gathered(
            reported.Asides, varied=varied, nested=nested, explained=explained, swaps=swaps
        )
        terms = reported.Terms(
            evaluation=settings.evaluation,
            gate=settings.gate,
            registry=settings.registry,
            store=run.store,
            out_of_scope=settings.split.out_of_scope,
            licence=settings.corpus.licence,
        )
        report = registry.register(
            run, corpus, parts, found, folds, asides, put, tested, head, terms
        )
        tracked.refer(run, report)
    return approval.settled(run, report)


def start(settings: Settings, base: Path) -> RunReport:
    """Run the flow, its trials and folds on what the settings name."""
    claim_temporary()
    with (
        Workspace(settings.workspace).underway(settings.name),
        runners.opened(settings) as runner,
        flow_runs.marked(),
    ):
        return train.with_options(task_runner=runner)(settings, base)
