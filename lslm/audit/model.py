"""Does the model folder hold anything but what was fitted on the development set?"""

import math
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lslm import heads
from lslm.audit.evidence import Case
from lslm.audit.findings import Finding, found, some
from lslm.errors import InputError
from lslm.evaluation import abstention, answers, calibration, scope
from lslm.evaluation.answers import Answers
from lslm.evaluation.candidate import in_place_of_network
from lslm.serving import kept, model_folder
from lslm.serving.model_folder import Description, ModelFolder, Scope
from lslm.serving.predictor import Predictor
from lslm.training.parts import Part

_KNOWN = {
    model_folder.DESCRIPTION,
    model_folder.VOCABULARY,
    model_folder.GRAPH,
    model_folder.STEP,
    model_folder.SEEN,
}
_KNOWN_OF_BASELINE = {model_folder.DESCRIPTION, model_folder.SEEN, kept.BASELINE}


def check(case: Case) -> Iterator[Finding]:
    """Its words, targets and recorded documents, and whether a file is there that no check knows."""
    folder = ModelFolder(case.evidence.model)
    try:
        words, seen = folder.vocabulary().words, folder.seen()
        said = folder.description()
    except InputError as error:
        yield Finding("model", "manifest", 0, "leak", str(error))
        return
    final = next(part for part in case.evidence.parts if part.name == "final")
    part, targets = Part(final.folder, said.hyperparameters.encoder), said.targets
    strange = [word for word in words if word not in part.vocabulary]
    faults = [f"words that were never fitted: {some(strange)}"] if strange else []
    if not faults and words != part.vocabulary.words:
        faults = ["words are missing, or in another order"]
    yield found("model", "vocabulary", len(words), faults)
    differing = ["they are not those of the final part"] if targets != part.targets else []
    yield found("model", "targets", len(targets), differing)
    yield from _of_either("model", case, folder, said, seen, _KNOWN)
    if case.evidence.baseline is not None:
        yield from _baseline(case, ModelFolder(case.evidence.baseline))


def _baseline(case: Case, folder: ModelFolder) -> Iterator[Finding]:
    try:
        folder.read(kept.BASELINE)
        seen, said = folder.seen(), folder.description()
    except InputError as error:
        yield Finding("baseline", "manifest", 0, "leak", str(error))
        return
    yield from _of_either("baseline", case, folder, said, seen, _KNOWN_OF_BASELINE)


def _of_either(
    where: str,
    case: Case,
    folder: ModelFolder,
    said: Description,
    seen: NDArray[np.uint64],
    known: set[str],
) -> Iterator[Finding]:
    """What holds for a network's folder and a baseline's."""
    yield found(where, "documents trained on", len(seen), list(_seen(case, seen)))
    yield found(
        where, "temperature and threshold", len(seen), list(_confidence(case, folder, said))
    )
    unknown = [name for name in folder.names if name not in known and not _is_member(name)]
    detail = f"no check knows: {some(unknown)}" if unknown else ""
    result = "note" if unknown else "ok"
    yield Finding(where, "files of a known kind", len(folder.names), result, detail)


def _seen(case: Case, seen: NDArray[np.uint64]) -> Iterator[str]:
    held = np.intersect1d(seen, case.fingerprints["holdout"])
    if len(held):
        yield f"{len(held):,} of them are in the holdout"
    elif not np.array_equal(seen, np.sort(case.fingerprints["development"])):
        yield "they are not the development set"


def _confidence(case: Case, folder: ModelFolder, stored: Description) -> Iterator[str]:
    """Both are fitted again on the out-of-fold answers, which no holdout document is among.

    The answers of what this folder holds are in the network's place.
    """
    kind = heads.get(case.settings.head.kind)
    folds = [answers.load(path) for path in case.evidence.answers]
    given = in_place_of_network(folds, stored.system)
    temperature = calibration.temperature(kind, given)
    if not math.isclose(stored.temperature, temperature, rel_tol=1e-6):
        yield f"temperature {stored.temperature:.4f} stored, {temperature:.4f} by out-of-fold answers"
    yield from _scope(case, folder, stored.out_of_scope, given)
    below = abstention.threshold(kind, given, case.settings.evaluation.wanted_accuracy)
    if stored.abstain_below != below:
        yield f"threshold {stored.abstain_below} stored, {below} by out-of-fold answers"


def _scope(
    case: Case, folder: ModelFolder, stored: Scope | None, given: list[Answers]
) -> Iterator[str]:
    """The threshold for documents of no class is chosen again, on the development set's alone."""
    apart = case.evidence.out_of_scope
    if stored is None or apart is None:
        if (stored is None) != (apart is None):
            yield "a threshold for documents out of scope, and none to choose it on, or the other way round"
        return
    kind = heads.get(case.settings.head.kind)
    texts: list[str] = pl.read_parquet(apart, columns=["text"])["text"].to_list()
    outputs = Predictor.load(folder.folder, cleans=False).outputs(texts)
    below = scope.threshold(kind, given, outputs)
    if not math.isclose(stored.below, below, rel_tol=1e-6):
        yield f"out of scope below {stored.below:.4f} stored, {below:.4f} by the development set"


def _is_member(name: str) -> bool:
    return name.startswith(f"{model_folder.MEMBERS}/")
