"""A model as MLflow keeps it: the model folder, the code that answers, and what that code needs."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lslm
from lslm.heads.contract import Head
from lslm.workspace import digest

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

LIBRARY = Path(lslm.__file__).parent
SERVED = LIBRARY / "serving" / "served.py"
"""The file MLflow runs to answer; it reads its model folder from `context.artifacts["model"]`."""
INSIDE = Path("artifacts") / "model"
"""Where the model folder lies inside a package."""
_CACHE = "__pycache__"


@dataclass(frozen=True)
class Candidate:
    """A fitted model on its way into the registry."""

    run_id: str
    folder: Path
    """The model folder, as `lslm.serving.model_files` writes it."""
    head: Head
    card: str
    """Markdown, the version's description."""
    input_example: Sequence[str]
    """A few short texts; they travel with the package, so nothing private belongs here."""
    report: str
    """Digest of the run's report."""
    data: Mapping[str, str]
    """Digests of the corpus by part."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """What tells it from other models, by dotted name, shown on its page."""
    score: str = ""
    """The holdout score in words, shown where versions are listed."""


def save_package(target: Path, scratch: Path, candidate: Candidate) -> None:
    """Write the package at `target`; code goes in as source, nothing is pickled or inferred."""
    import pandas as pd
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    from lslm.serving.model_folder import ModelFolder
    from lslm.serving.requirements import requirements

    ignored = shutil.ignore_patterns(_CACHE, "*.pyc", ".*")
    code = shutil.copytree(LIBRARY, scratch / "code" / LIBRARY.name, ignore=ignored)
    model = shutil.copytree(candidate.folder, scratch / INSIDE.name)
    save_model(
        path=str(target),
        python_model=str(SERVED),
        artifacts={INSIDE.name: str(model)},
        code_paths=[str(code)],
        signature=_signature(candidate.head),
        input_example=pd.DataFrame({"text": list(candidate.input_example)}),
        pip_requirements=requirements(
            ModelFolder(candidate.folder).description().system, candidate.head.packages
        ),
        mlflow_model=Model(run_id=candidate.run_id, metadata=_metadata(candidate)),
    )
    drop_bytecode(target)


def package_digest(package: Path) -> str:
    """SHA-256 of everything in a package.

    Compiled files are deleted first: loading made them, and Python runs them, not the source.
    """
    drop_bytecode(package)
    return digest(package)


def drop_bytecode(folder: Path) -> None:
    """Delete compiled Python files; Python makes them anew."""
    for cache in list(folder.rglob(_CACHE)):
        shutil.rmtree(cache, ignore_errors=True)


def _signature(head: Head) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(kind, name) for name, kind in head.prediction_schema
    ]
    return ModelSignature(Schema([ColSpec("string", "text")]), Schema(outputs))


def _metadata(candidate: Candidate) -> dict[str, Any]:
    return {
        "lslm": {
            "version": lslm.__version__,
            "head": candidate.head.name,
            "report": candidate.report,
            "data": dict(candidate.data),
        }
    }
