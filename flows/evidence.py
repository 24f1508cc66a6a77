"""What a finished run of the flow `train` left behind, found by walking it like `flows.plan`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from flows.train import train
from lslm.audit.evidence import Evidence, FittedPart, nested_parts, rows_of, search_parts
from lslm.errors import InputError
from lslm.settings import Settings
from lslm.workspace import Handle, Workspace
from tasks.candidate import Models
from tasks.embeddings import Language, together
from tasks.models import Which, prepare_part
from tasks.stage import Planner, Run, planner

_NEEDED = {
    "clean",
    "split",
    "tokenize",
    "pretrain",
    "pretrain-language-model",
    "prepare-part",
    "search",
    "cross-validate",
    "nest",
    "fit",
    "calibrate",
    "put-forward",
    "tell-apart",
}


def evidence(settings: Settings, base: Path, workspace: Workspace) -> Evidence:
    """Files of the stages; InputError where one of them never finished with these settings."""
    walking = Planner()
    token = planner.set(walking)
    try:
        train.fn(settings, base)
        _check_finished(walking, settings)
        parts = _parts(settings, base, walking)
    finally:
        planner.reset(token)
    return _gathered(settings, walking.results, parts)


def _parts(settings: Settings, base: Path, walking: Planner) -> dict[str, Handle]:
    """The training parts by name; they belong to the stages search, cross-validate and fit."""
    run = Run(settings=settings, base=base, run_id="")
    made = walking.results
    pretrained = _pretrained(made, settings)
    data = (made["split"].development, made["tokenize"].development, pretrained)
    evaluation = settings.evaluation
    whiches = {
        **dict(zip(search_parts(settings.search), Which.for_search(settings.search), strict=True)),
        **{
            f"fold {number + 1}": Which.for_fold(number, evaluation.folds, evaluation.seed)
            for number in range(evaluation.folds)
        },
        **dict(zip(nested_parts(settings), _nested(settings), strict=True)),
        "final": Which(kind="all"),
    }
    found: dict[str, Any] = {
        name: prepare_part(run, which, *data, settings.embedding, settings.head)
        for name, which in whiches.items()
    }
    _check_finished(walking, settings)
    return found


def _pretrained(made: Mapping[str, Any], settings: Settings) -> Any:
    """What the parts went on from."""
    language = Language.of(settings)
    return together(made["pretrain"], language, made["pretrain-language-model"])


def _nested(settings: Settings) -> list[Which]:
    """What the searches inside the folds are fitted on."""
    evaluation, search = settings.evaluation, settings.search
    folds = range(evaluation.folds if evaluation.nested else 0)
    return [
        which
        for number in folds
        for which in Which.for_search(
            search.inside(number), Which.for_fold(number, evaluation.folds, evaluation.seed)
        )
    ]


def _check_finished(walking: Planner, settings: Settings) -> None:
    waiting = [stage.stage for stage in walking.stages if stage.status != "done"]
    missing = [name for name in waiting if name in _NEEDED]
    if missing:
        raise InputError(
            f"the stage {missing[0]} has not finished with these settings, this data and this version",
            where=settings.name,
            right="a finished run: `lslm run` first, or `--only canary`",
        )


def _gathered(settings: Settings, made: Mapping[str, Any], parts: dict[str, Handle]) -> Evidence:
    split, tokens = made["split"], made["tokenize"]
    rows = rows_of(settings, pl.read_parquet(split.development.path))
    fitted = tuple(FittedPart(name, handle.path, *rows[name]) for name, handle in parts.items())
    answers: tuple[Handle, ...] = made["cross-validate"].answers
    nested: tuple[Handle, ...] = made["nest"].answers
    handles = (split.development, split.holdout, split.outside, split.report)
    models: Models = made["tell-apart"]
    handles += (tokens.development, tokens.outside, made["pretrain"], models.network)
    handles += (models.candidate,)
    handles += (made["pretrain-language-model"],)
    pretrained = _pretrained(made, settings)
    handles += (split.out_of_scope, split.out_of_scope_holdout)
    return Evidence(
        settings=settings,
        development=split.development.path,
        holdout=split.holdout.path,
        outside=split.outside.path if split.outside else None,
        tokens=tokens.development.path,
        vectors=made["pretrain"].path if made["pretrain"] else None,
        language=pretrained.language.recipe if pretrained.language else None,
        parts=fitted,
        answers=tuple(handle.path for handle in answers),
        nested=tuple(handle.path for handle in nested),
        model=models.network.path,
        baseline=None if models.candidate == models.network else models.candidate.path,
        out_of_scope=split.out_of_scope.path if split.out_of_scope else None,
        handles=tuple(each for each in (*handles, *answers, *nested, *parts.values()) if each),
    )
