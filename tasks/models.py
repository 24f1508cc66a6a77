"""Stages that make the model: search, cross-validate, fit, evaluate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict

from lslm import heads, progress
from lslm.corpus import splitting
from lslm.evaluation import abstention, answers, calibration
from lslm.evaluation.answers import Answers
from lslm.evaluation.baselines import Documents, answer_baseline
from lslm.evaluation.sections import confidence_text
from lslm.heads import ragged
from lslm.heads.contract import Array
from lslm.serving import model_folder
from lslm.serving.predictor import Predictor
from lslm.serving.recipe import Recipe, Serving
from lslm.settings import (
    EmbeddingSettings,
    HeadSettings,
    Hyperparameters,
    SearchSettings,
)
from lslm.text.store import Rows
from lslm.training import workers
from lslm.training.epochs import Epoch, Fit
from lslm.training.parts import Part, prepare
from lslm.workspace import Handle
from tasks.embeddings import Pretrained
from tasks.fits import finished, forget, moving, state_of
from tasks.stage import Named, Pages, Run, stage

# Named, not imported: only the training processes pay for Keras.
_FIT = "lslm.training.fitting:fit"
ASSEMBLE = "lslm.serving.assembly:assemble"


class Folds(BaseModel):
    """Answers of each fold, from networks and baselines that never saw it."""

    model_config = ConfigDict(frozen=True)

    answers: tuple[Handle, ...]


class Which(Named, BaseModel):
    """Which rows of the development set are trained on; the rest of them is held back."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["all", "search", "fold"]
    seed: int = 0
    share: float = 0.0
    """Of the rows held back in a search."""
    number: int = 0
    n_folds: int = 0
    kept: float = 1.0
    """Share of a fold's training rows that is trained on."""
    within: "Which | None" = None
    """The fold whose training rows are cut; its validation rows are on neither side. None: all rows are cut."""

    @classmethod
    def for_search(
        cls, search: SearchSettings, within: "Which | None" = None
    ) -> "tuple[Which, ...]":
        """What each trial is fitted on: one part, or folds; nothing where no trial is wanted."""
        if not search.n_trials:
            return ()
        if search.folds == 1:
            cut = cls(kind="search", seed=search.seed, share=search.validation, within=within)
            return (cut,)
        numbers, seed = range(search.folds), search.folds_seed
        cuts = (cls.for_fold(number, search.folds, seed) for number in numbers)
        return tuple(cut.model_copy(update={"within": within}) for cut in cuts)

    @classmethod
    def for_fold(cls, number: int, n_folds: int, seed: int) -> "Which":
        """What a fold is fitted on; folds are numbered from 0."""
        return cls(kind="fold", seed=seed, number=number, n_folds=n_folds)

    def __str__(self) -> str:
        if self.within is not None:
            return f"{self.within}, search" + (f" {self.number + 1}" if self.kind == "fold" else "")
        if self.kind != "fold":
            return f"for {self.kind}"
        return f"fold {self.number + 1}" + (f", {self.kept:.0%}" if self.kept < 1 else "")


@stage("Prepare", modules=("lslm.training.parts", "lslm.corpus.splitting"))
def prepare_part(
    run: Run,
    which: Which,
    development: Handle,
    tokens: Handle,
    pretrained: Pretrained,
    embedding: EmbeddingSettings,
    head: HeadSettings,
) -> Handle:
    """Fit vocabulary, vectors and targets on the rows of one training part."""
    with run.workspace.scratch() as folder:
        given: dict[str, Any] = {
            "documents": development.path,
            "tokens": tokens.path,
            "rows": rows_of(development.path, which),
            "outside": pretrained.vectors.path if pretrained.vectors else None,
            "embedding": embedding,
            "head": head,
            "into": folder / "part",
        }
        if pretrained.language is None:
            return run.workspace.add(workers.shared().run(prepare, **given))
        # Language models have epochs, after which they can stop and go on.
        made_of = {"which": which, "development": development, "tokens": tokens}
        made_of |= {"pretrained": pretrained, "embedding": embedding, "head": head}
        checkpoint = state_of(run, "prepare", made_of, ("lslm.training.parts",))
        language = pretrained.language.recipe
        made = finished(run, prepare, lambda epoch: True, checkpoint, language=language, **given)
        return run.workspace.add(made)


@stage("Cross-validate", modules=("lslm.training.fitting", "lslm.heads", "lslm.corpus.splitting"))
def cross_validate(
    run: Run,
    development: Handle,
    tokens: Handle,
    pretrained: Pretrained,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    chosen: tuple[Hyperparameters, ...],
    n_folds: int,
    seed: int,
    baselines: tuple[str, ...],
) -> Folds:
    """Fit and score what was chosen for each fold, and the baselines, each fold on its own."""
    n_fits = sum(each.training.members + len(baselines) for each in chosen)
    with progress.bar("Folds", n_fits, "fits") as shown:
        pending = []
        for number in range(n_folds):
            which = Which.for_fold(number, n_folds, seed)
            part = prepare_part.submit(run, which, development, tokens, pretrained, embedding, head)
            pending.append((which, part))
        answers = [
            fold.submit(run, which, development, part.result(), head, each, baselines)
            for (which, part), each in zip(pending, chosen, strict=True)
        ]
        handles = []
        for number, each in enumerate(answers, start=1):
            handles.append(each.result())
            # Those found from an earlier run moved nothing on.
            shown.reach(number * n_fits / n_folds)
    return Folds(answers=tuple(handles))


def _forget_fits(run: Run, arguments: dict[str, Any]) -> None:
    """What a fold's fits kept."""
    chosen: Hyperparameters = arguments["chosen"]
    first, head = chosen.training.seed, arguments["head"]
    seeds = range(first, first + chosen.training.members)
    forget(_checkpoint(run, arguments["part"], head.kind, chosen, seed) for seed in seeds)


@stage(
    "Fold",
    modules=("lslm.training.fitting", "lslm.heads", "lslm.corpus.splitting"),
    then=_forget_fits,
)
def fold(
    run: Run,
    which: Which,
    development: Handle,
    part: Handle,
    head: HeadSettings,
    chosen: Hyperparameters,
    baselines: tuple[str, ...],
) -> Handle:
    """Answers of the networks, averaged, and of the baselines for one fold's validation rows."""
    fitted = Part(part.path)
    outputs: dict[str, Array] = {"network": _network_answers(run, part, head, chosen)}
    training, validation = rows_of(development.path, which)
    for name in baselines:
        outputs[name] = workers.shared().run(
            answer_baseline,
            head_kind=head.kind,
            name=name,
            training=Documents(development.path, training),
            documents=Documents(development.path, validation),
            targets=fitted.targets,
            seed=which.seed,
        )
        progress.advance()
    truth, groups = fitted.validation.targets, _groups(development)[validation]
    return _kept(run, Answers(truth, outputs, fitted.targets, fitted.report, groups))


@stage("Fit", modules=("lslm.training.fitting", "lslm.serving.assembly"))
def fit(
    run: Run,
    development: Handle,
    tokens: Handle,
    pretrained: Pretrained,
    embedding: EmbeddingSettings,
    head: HeadSettings,
    chosen: Hyperparameters,
    serving: Serving,
) -> Handle:
    """Fit on the whole development set, and write the model folder."""
    part = prepare_part.submit(
        run, Which(kind="all"), development, tokens, pretrained, embedding, head
    ).result()
    members = range(chosen.training.members)
    with (
        run.workspace.scratch() as folder,
        progress.bar("Members", len(members), "networks"),
    ):
        fits = [
            member.with_options(task_run_name=f"member {number + 1}").submit(
                run, part, head.kind, chosen, number, folder / f"{number}.keras"
            )
            for number in members
        ]
        for each in fits:
            each.result()
        workers.shared().run(
            ASSEMBLE,
            folder=folder / "model",
            members=[folder / f"{number}.keras" for number in members],
            recipe=Recipe(part.path, development.path, head, serving),
            hyperparameters=chosen,
        )
        return run.workspace.add(folder / "model")


@task(name="member", cache_policy=NO_CACHE, persist_result=False)
def member(
    run: Run, part: Handle, head_kind: str, chosen: Hyperparameters, number: int, save: Path
) -> None:
    """Fit one network of the final model."""
    seed = chosen.training.seed + number
    fitted(run, moving(1 / chosen.training.epochs), part, head_kind, chosen, seed, save=save)


def _model_pages(model: Handle) -> Pages:
    rows = [
        f"| {file.relative_to(model.path)} | {file.stat().st_size / 1e6:.2f} |"
        for file in sorted(model.path.rglob("*"))
        if file.is_file()
    ]
    table = "\n".join(["| file | MB |", "| --- | --- |", *rows])
    said = model_folder.ModelFolder(model.path).description()
    confidence = confidence_text(said.temperature, said.abstain_below)
    about = f"{model.size / 1e6:.2f} MB, digest `{model.digest}`. {confidence}"
    return {"model": f"# Model\n\n{about}\n\n{table}"}


@stage(
    "Calibrate",
    modules=("lslm.evaluation.abstention", "lslm.serving.model_folder", "lslm.heads"),
    pages=_model_pages,
)
def calibrate(
    run: Run, model: Handle, folds: Folds, head: HeadSettings, wanted_accuracy: float | None
) -> Handle:
    """The model with what out-of-fold answers say of its probabilities; its networks stay."""
    kind, given = heads.get(head.kind), [answers.load(each.path) for each in folds.answers]
    with run.workspace.scratch() as folder:
        model_folder.calibrate(
            model.path,
            folder / "model",
            temperature=calibration.temperature(kind, given),
            abstain_below=abstention.threshold(kind, given, wanted_accuracy),
        )
        return run.workspace.add(folder / "model")


@stage("Evaluate on the holdout", modules=("lslm.serving.predictor", "lslm.heads"))
def evaluate(
    run: Run,
    model: Handle,
    development: Handle,
    holdout: Handle,
    head: HeadSettings,
    baselines: tuple[str, ...],
    seed: int,
) -> Handle:
    """Answers of the model as it will be served, and of the baselines, for the holdout; once."""
    predictor = Predictor.load(model.path, cleans=False)
    held = pl.read_parquet(holdout.path)
    targets, kind = predictor.targets, heads.get(head.kind)
    outputs = {"network": predictor.outputs(held["text"].to_list())}
    for name in baselines:
        outputs[name] = workers.shared().run(
            answer_baseline,
            head_kind=head.kind,
            name=name,
            training=Documents(development.path, None),
            documents=Documents(holdout.path, None),
            targets=targets,
            seed=seed,
        )
    truth = kind.encode_targets(held, targets)
    return _kept(run, Answers(truth, outputs, targets, {}, held["group"].to_numpy()))


def _groups(documents: Handle) -> Array:
    """Number of each document's group, `(n,)`."""
    return pl.read_parquet(documents.path, columns=["group"])["group"].to_numpy()


def rows_of(documents: Path, which: Which) -> tuple[Rows, Rows]:
    """Training rows and the rows held back."""
    return _cut(pl.read_parquet(documents), which)


def _cut(frame: pl.DataFrame, which: Which) -> tuple[Rows, Rows]:
    if which.within is not None:
        rows, _ = _cut(frame, which.within)
        alone = which.model_copy(update={"within": None})
        return splitting.inside(rows, _cut(frame[rows], alone))
    if which.kind == "search":
        return splitting.cut(frame, which.share, which.seed)
    if which.kind == "fold":
        training, validation = splitting.folds(frame, which.n_folds, which.seed)[which.number]
        return splitting.thinned(frame, training, which.kept, which.seed), validation
    return np.arange(len(frame)), np.arange(0)


def _network_answers(run: Run, part: Handle, head: HeadSettings, chosen: Hyperparameters) -> Array:
    fits = [
        fitted(
            run,
            moving(1 / chosen.training.epochs),
            part,
            head.kind,
            chosen,
            chosen.training.seed + number,
        )
        for number in range(chosen.training.members)
    ]
    return ragged.mean([each.outputs for each in fits if each.outputs is not None])


def fitted(
    run: Run,
    heard: Callable[[Epoch], bool],
    part: Handle,
    head_kind: str,
    chosen: Hyperparameters,
    seed: int,
    *,
    stop_early: bool = False,
    save: Path | None = None,
) -> Fit:
    """Fit one network in a training process; where that dies, another goes on from the last epoch.

    So does a later run, and finds a fit that is done as it was left, until what it is for is recorded.
    """
    found: Fit = finished(
        run,
        _FIT,
        heard,
        _checkpoint(
            run, part, head_kind, chosen, seed, stop_early=stop_early, saved=save is not None
        ),
        part_folder=part.path,
        head_kind=head_kind,
        hyperparameters=chosen,
        seed=seed,
        stop_early=stop_early,
        save=save,
    )
    return found


def forget_trial(
    run: Run, parts: tuple[Handle, ...], head_kind: str, chosen: Hyperparameters
) -> None:
    """Drop what the fits of a trial kept, once the trial is told: no run goes on with it."""
    seed = chosen.training.seed
    forget(_checkpoint(run, part, head_kind, chosen, seed, stop_early=True) for part in parts)


def _checkpoint(
    run: Run,
    part: Handle,
    head_kind: str,
    chosen: Hyperparameters,
    seed: int,
    *,
    stop_early: bool = False,
    saved: bool = False,
) -> Path:
    made_of = {"part": part, "chosen": chosen, "seed": seed, "early": stop_early, "save": saved}
    modules = ("lslm.training.fitting", heads.get(head_kind).build.__module__)
    return state_of(run, head_kind, made_of, modules)


def _kept(run: Run, given: Answers) -> Handle:
    with run.workspace.scratch() as folder:
        answers.save(folder / "answers", given)
        return run.workspace.add(folder / "answers")
