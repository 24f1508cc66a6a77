"""From a pipeline's name or file to settings, or to errors that say what is wrong, where."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from lslm.corpus import recognition
from lslm.errors import InputError
from lslm.pipelines.checks import head_problems, space_problems
from lslm.pipelines.document import Document
from lslm.pipelines.problems import Problem, from_pydantic, near
from lslm.settings import Settings


@dataclass(frozen=True)
class Pipeline:
    """Checked settings, and where they came from."""

    settings: Settings
    base: Path
    """The folder relative source paths start from."""
    file: Path


def shipped() -> tuple[str, ...]:
    """Names of the pipelines that ship.

    Example:
        >>> shipped()
        ('docstrings', 'imdb', 'rotten-tomatoes')
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def load(reference: str, overrides: Sequence[str] = ()) -> Pipeline:
    """The pipeline of that name or file, with overrides such as `search.n_trials=40` on top.

    Everything that is wrong is told in one InputError, a line each.
    """
    from lslm import heads

    file = _file(reference)
    document = Document.read(file)
    for override in overrides:
        document.override(override)
    settings, problems = _validated(document)
    if problems:
        raise _error(document, problems)
    assert settings is not None
    return Pipeline(heads.settled(settings), file.parent, file)


def _file(reference: str) -> Path:
    names = shipped()
    if reference in names:
        return _folder() / f"{reference}.yaml"
    path = Path(reference)
    if path.is_file() and recognition.by_ending(path):
        right = f"a YAML file, such as `lslm init {reference}` writes"
        raise InputError("is data, not a pipeline file", where=reference, right=right)
    if path.is_file():
        return path.absolute()
    if path.suffix in {".yaml", ".yml"} or path.exists():
        raise InputError("is not a file", where=reference, right="a pipeline file")
    raise InputError(
        f"no pipeline {reference!r}{near(reference, names)}",
        right=f"the path of a pipeline file, or one of: {', '.join(names)}",
    )


def _folder() -> Path:
    return Path(str(resources.files("lslm.pipelines")))


def _validated(document: Document) -> tuple[Settings | None, list[Problem]]:
    try:
        settings = Settings.model_validate(document.values)
    except ValidationError as error:
        problems = from_pydantic(error, Settings, document.values)
        return None, problems + space_problems(document.values)
    return settings, head_problems(settings) + space_problems(document.values)


def _error(document: Document, problems: Sequence[Problem]) -> InputError:
    errors = [
        InputError(problem.what, where=document.where(problem.at), right=problem.right)
        for problem in sorted(problems, key=lambda problem: document.order(problem.at))
    ]
    return errors[0] if len(errors) == 1 else InputError("\n".join(map(str, errors)))
