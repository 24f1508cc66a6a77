"""From a source in the settings to the files it means, and what those files contain."""

import glob
import importlib.metadata
import importlib.util
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from lslm.errors import InputError
from lslm.settings import CorpusSettings, Source
from lslm.workspace import Workspace, digest

_PACKAGE = "package:"
_DIGESTS = "digests.json"


def resolve(source: Source, base: Path) -> list[Path]:
    """The files a source means, sorted; relative paths start at `base`.

    A path, a glob, a folder (all files below it, hidden ones left out) or
    `package:DISTRIBUTION/PATH`, which is found without importing the package. InputError names
    what is near where nothing is there.
    """
    packaged = source.path.startswith(_PACKAGE)
    path = _packaged(source.path.removeprefix(_PACKAGE)) if packaged else base / source.path
    if path.is_dir():
        pattern = "*.py" if source.format == "docstrings" else "*"
        found = [
            file for file in sorted(path.rglob(pattern)) if file.is_file() and _visible(file, path)
        ]
        return found or _nothing(source.path, "an empty folder", "files in it")
    if path.exists():
        return [path]
    if glob.has_magic(source.path):
        # Not of the whole path: the folder's own name may hold brackets.
        found = glob.glob(source.path, root_dir=base, recursive=True)  # noqa: PTH207
        files = [file for file in sorted(base / name for name in found) if file.is_file()]
        return files or _nothing(source.path, "no file matches", "a glob that matches files")
    return _nothing(source.path, "no such file", _near_path(path))


def labels_file(source: Source, base: Path) -> Path | None:
    """The file of labels beside a `lines` source, where it has one."""
    return resolve(Source(path=source.labels), base)[0] if source.labels else None


def name_of(path: Path, source: Source, base: Path) -> str:
    """How a source's file is named in records and reports, alike on every machine where it can be.

    A packaged file keeps its `package:` name; others are relative to `base` where they lie below.

    Example:
        >>> name_of(Path("/data/a/b.csv"), Source(path="a"), Path("/data"))
        'a/b.csv'
    """
    if source.path.startswith(_PACKAGE):
        package = _packaged(source.path.removeprefix(_PACKAGE))
        inside = path.relative_to(package).as_posix() if path != package else ""
        return f"{source.path}/{inside}" if inside else source.path
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def fingerprints(settings: CorpusSettings, base: Path, workspace: Workspace) -> dict[str, str]:
    """SHA-256 of every input file by its name.

    A file whose path, size, time of change and inode are as remembered is not read again.
    """
    known: dict[str, Any] = workspace.read_json(_DIGESTS) or {}
    found: dict[str, str] = {}
    fresh: dict[str, Any] = {}
    for name, path in _files(settings, base):
        key, state = str(path.absolute()), _state(path)
        before = fresh.get(key) or known.get(key)
        unchanged = before is not None and before["state"] == state
        found[name] = before["sha256"] if before and unchanged else digest(path)
        fresh[key] = {"state": state, "sha256": found[name]}
    if any(known.get(key) != value for key, value in fresh.items()):
        workspace.write_json(_DIGESTS, known | fresh)
    return found


def _files(settings: CorpusSettings, base: Path) -> Iterator[tuple[str, Path]]:
    """Every input file by its name, files of labels too."""
    for source in (*settings.holdout, *settings.sources, *settings.outside):
        for each in (source, *([Source(path=source.labels)] if source.labels else [])):
            for path in resolve(each, base):
                yield name_of(path, each, base), path


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]


@cache
def _packaged(name: str) -> Path:
    distribution, _, inner = name.partition("/")
    try:
        found = importlib.metadata.distribution(distribution)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        installed = (str(d.metadata["Name"]) for d in importlib.metadata.distributions())
        return _nothing(
            _PACKAGE + name,
            f"package '{distribution}' is not installed",
            _near(distribution, installed),
        )[0]
    for path in (Path(str(found.locate_file(inner))), _beside_module(inner)):
        if inner and path is not None and path.exists():
            return path
    there = (str(file) for file in found.files or ())
    return _nothing(_PACKAGE + name, f"'{distribution}' has no such file", _near(inner, there))[0]


def _beside_module(inner: str) -> Path | None:
    """Where an editable install keeps the file; finding a top-level module does not run it."""
    top, *rest = PurePosixPath(inner).parts or ("",)
    spec = importlib.util.find_spec(top) if top.isidentifier() else None
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(folders[0], *rest) if folders else None


def _visible(file: Path, root: Path) -> bool:
    return not any(part.startswith(".") for part in file.relative_to(root).parts)


def _near_path(path: Path) -> str:
    if path.parent.is_dir():
        return _near(path.name, (child.name for child in path.parent.iterdir()))
    there = next(folder for folder in path.parents if folder.is_dir())
    return f"a path below {there}"


def _near(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)
    return f"one of: {', '.join(close)}" if close else "an existing file"


def _nothing(where: str, what: str, right: str) -> list[Path]:
    raise InputError(what, where=where, right=right)
