"""What a stage took when it last ran here: better than a calibration, where it did the same work."""

from pathlib import Path
from typing import Any

from lslm import heads, planning
from lslm.corpus import sources
from lslm.costing import drawing
from lslm.planning import Parts
from lslm.pretraining.recipe import Shape
from lslm.settings import Settings
from lslm.workspace import Workspace


def recorded(settings: Settings, base: Path, workspace: Workspace) -> dict[str, float]:
    """Processor seconds of the stages that last ran on the same documents, with the same settings.

    What a search chose, and what is in the code, may differ.
    """
    now, found = _now(settings), dict[str, float]()
    folder = workspace.root / "keys" / settings.name
    if not _same_documents(settings, base, workspace):
        return {}
    for file in sorted(folder.glob("*.json")):
        known = workspace.read_json(f"keys/{settings.name}/{file.name}")
        if known and "cpu_seconds" in known and not _differing(known["parts"], now):
            found[file.stem] = known["cpu_seconds"]
    return found


def _same_documents(settings: Settings, base: Path, workspace: Workspace) -> bool:
    cleaned = workspace.read_json(f"keys/{settings.name}/clean.json")
    if cleaned is None:
        return False
    files = sources.fingerprints(settings.corpus, base, workspace)
    return _of(cleaned["parts"], "files") == _of(planning.key_parts({"files": files}, ()), "files")


def _now(settings: Settings) -> Parts:
    """Settings by the names that stages are given them under."""
    evaluation = settings.evaluation
    baselines = evaluation.baselines
    given: dict[str, Any] = {
        "corpus": settings.corpus,
        "cleaning": settings.cleaning,
        "cut": settings.split,
        "text": settings.text,
        "embedding": settings.embedding,
        "language": {"settings": settings.pretraining, "shape": Shape.of(settings.encoder)}
        if settings.pretraining.language_model
        else None,
        "head": settings.head,
        "search": settings.search,
        "start": drawing.start(settings),
        "n_folds": evaluation.folds,
        "asked": evaluation,
        "baselines": tuple(heads.get(settings.head.kind).baselines)
        if baselines is None
        else baselines,
        "lists": evaluation.swaps,
    }
    return planning.key_parts(given, ()) | _settled(settings)


def _settled(settings: Settings) -> Parts:
    """Hyperparameters that no search changes; epochs may end early, and are more in folds."""
    free = {f"chosen.{name}" for name in (*drawing.searched(settings), "training.epochs")}
    parts = planning.key_parts({"chosen": drawing.start(settings)}, ())
    return {name: value for name, value in parts.items() if name not in free}


def _differing(before: Parts, now: Parts) -> bool:
    """Whether a setting that the stage was given is another one now."""
    return any(
        now[name] != value
        for name, value in before.items()
        if name in now and not name.startswith(("source of ", "version of "))
    )


def _of(parts: Parts, name: str) -> Parts:
    return {key: value for key, value in parts.items() if key.split(".")[0] == name}
