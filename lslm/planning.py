"""What a run would do: keys of stages, compared with those of the last run.

A key is content: the settings a stage is given, the digests of what it reads, the source of the
library modules it depends on, and the versions of the packages those import.
"""

import ast
import dataclasses
import hashlib
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from lslm import heads
from lslm.evaluation.report import RunReport, StageCost
from lslm.metering import Cost
from lslm.settings import HeadSettings, Hyperparameters, Settings
from lslm.workspace import Handle, Workspace

Parts = dict[str, str]
"""What a key is made of: by name, a value or a digest."""


@dataclass(frozen=True)
class StagePlan:
    """One stage of a run that has not begun."""

    stage: str
    status: Literal["done", "run", "unknown"]
    """`unknown`: it depends on what a stage before it will return."""
    changed: tuple[str, ...]
    """Names of the parts of its key that differ from the last run's; empty when it never ran."""


@dataclass(frozen=True)
class Plan:
    """What a run would do, and what it would come to."""

    stages: list[StagePlan]
    report: RunReport | None
    """None: the last stage has not run."""


def plan(settings: Settings, base: Path, workspace: Workspace) -> list[StagePlan]:
    """For each stage of the flow `train`, whether it would run; changes nothing."""
    return _walked(settings, base, workspace).stages


def unchanged(settings: Settings, base: Path, workspace: Workspace) -> RunReport | None:
    """The report, if every stage is done; None if a run would do something, if only end what another left."""
    if workspace.was_cut_off(settings.name):
        return None
    found = _walked(settings, base, workspace)
    if found.report is None or any(stage.status != "done" for stage in found.stages):
        return None
    return _as_it_stands(settings, workspace, found.report)


def last_report(settings: Settings, workspace: Workspace) -> RunReport | None:
    """The report of the pipeline's last finished run."""
    files = (workspace.root / "runs" / settings.name).glob("*.json")
    last = max(files, key=lambda file: file.stat().st_mtime, default=None)
    return RunReport.model_validate_json(last.read_bytes()) if last else None


def remember_report(settings: Settings, workspace: Workspace, report: RunReport) -> None:
    """Keep the report of a finished run, beside those of others."""
    workspace.write_json(_report_file(settings, report.run_id), report.model_dump(mode="json"))


def dotted(hyperparameters: Hyperparameters) -> dict[str, Any]:
    """Values by dotted name."""
    return {
        f"{section}.{field}": value
        for section, fields in hyperparameters.model_dump().items()
        for field, value in fields.items()
    }


def key_parts(arguments: dict[str, Any], modules: tuple[str, ...]) -> Parts:
    """Name everything that a stage's result depends on.

    Heads are found by looking, not by an import: the source of a head among the arguments is named apart.
    """
    parts: Parts = {}
    given = {value.kind for value in arguments.values() if isinstance(value, HeadSettings)}
    modules = (*modules, *sorted(heads.get(kind).build.__module__ for kind in given))
    for name, value in arguments.items():
        parts |= _flat(name, value)
    for module in sorted(_closure(modules)):
        parts |= source_part(module)
    for package, installed in _packages(modules).items():
        parts[f"version of {package}"] = installed
    return parts


def source_part(module: str) -> Parts:
    """The part of a key that is the source of one module."""
    return {f"source of {module}": _source_digest(module)}


def key(stage: str, parts: Parts) -> str:
    """The name of a stage's result."""
    content = json.dumps(parts, sort_keys=True).encode()
    return f"{stage}-{hashlib.sha256(content).hexdigest()[:32]}"


def remember(
    workspace: Workspace, pipeline: str, stage: str, parts: Parts, cost: Cost, run_id: str
) -> None:
    """Keep the parts of a finished stage's key, so that a later change can be named, and what it cost."""
    content = {"parts": parts, "run": run_id, **dataclasses.asdict(cost)}
    workspace.write_json(_stage_file(pipeline, stage), content)


def seconds(workspace: Workspace, pipeline: str) -> dict[str, float]:
    """Wall time of each stage when it last ran."""
    files = sorted((workspace.root / "keys" / pipeline).glob("*.json"))
    return {file.stem: json.loads(file.read_bytes())["seconds"] for file in files}


def costs(
    workspace: Workspace, pipeline: str, stages: Iterable[str], run_id: str
) -> Iterator[StageCost]:
    """What each stage cost when it last ran, in this run or an earlier one."""
    for stage in stages:
        if known := workspace.read_json(_stage_file(pipeline, stage)):
            yield StageCost(
                stage=stage,
                seconds=known["seconds"],
                cpu_seconds=known.get("cpu_seconds", 0.0),
                peak_mb=known.get("peak_mb", 0.0),
                earlier=known.get("run") != run_id,
            )


def changed(workspace: Workspace, pipeline: str, stage: str, parts: Parts) -> tuple[str, ...]:
    """Names of parts that differ from those of the stage's last run."""
    last = workspace.read_json(_stage_file(pipeline, stage))
    if last is None:
        return ()
    before: Parts = last["parts"]
    names = before.keys() | parts.keys()
    return tuple(sorted(name for name in names if before.get(name) != parts.get(name)))


def digests(outcome: Any) -> dict[str, str]:
    """By name the digest of each file that a stage's outcome holds; of its JSON where it holds none.

    Example:
        >>> digests({"files": Handle(path=Path("a"), digest="0f", size=1)})
        {'files': '0f'}
    """
    handles = {name.lstrip("."): digest for name, digest in _files(outcome, "")}
    if handles:
        return handles
    flat = _flat("", outcome)
    return {"": hashlib.sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest()}


def _files(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Handles inside an outcome, however deep."""
    if isinstance(value, Handle):
        yield name, value.digest
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _files(getattr(value, field), f"{name}.{field}")
    elif isinstance(value, dict):
        for key_, child in value.items():
            yield from _files(child, f"{name}.{key_}")
    elif isinstance(value, (list, tuple)):
        for number, child in enumerate(value, start=1):
            yield from _files(child, f"{name}.{number}")


def _walked(settings: Settings, base: Path, workspace: Workspace) -> Plan:
    """The library does not import the flows; the installation says where their plan is."""
    (point,) = entry_points(group="lslm.flows", name="plan")
    return point.load()(settings, base, workspace)


def _as_it_stands(settings: Settings, workspace: Workspace, report: RunReport) -> RunReport:
    """The report that the last stage left, with a person's answer where one came after it."""
    kept = workspace.read_json(_report_file(settings, report.run_id))
    return RunReport.model_validate(kept) if kept else report


def _report_file(settings: Settings, run_id: str) -> str:
    return f"runs/{settings.name}/{run_id}.json"


def _stage_file(pipeline: str, stage: str) -> str:
    return f"keys/{pipeline}/{stage}.json"


def _flat(name: str, value: Any) -> Parts:
    """Dotted names for the leaves of settings, records and handles."""
    if isinstance(value, Handle):
        return {name: value.digest}
    if isinstance(value, BaseModel):
        fields = {field: getattr(value, field) for field in type(value).model_fields}
        return {
            k: v
            for field, child in fields.items()
            for k, v in _flat(f"{name}.{field}", child).items()
        }
    if isinstance(value, dict):
        return {
            k: v for key_, child in value.items() for k, v in _flat(f"{name}.{key_}", child).items()
        }
    if isinstance(value, (list, tuple)) and any(isinstance(v, (BaseModel, dict)) for v in value):
        return {
            k: v for i, child in enumerate(value) for k, v in _flat(f"{name}.{i}", child).items()
        }
    return {name: json.dumps(value, default=str)}


@cache
def _closure(modules: tuple[str, ...]) -> frozenset[str]:
    """The modules of this library, and of the packages of these, that these import, and so on.

    A head may come from another package: its own modules decide as much as ours.
    """
    own = {"lslm", *(module.split(".")[0] for module in modules)}
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += [
                name
                for name in _imports(module)
                if name.split(".")[0] in own and _file(name) is not None
            ]
    return frozenset(found)


@cache
def _packages(modules: tuple[str, ...]) -> dict[str, str]:
    """Installed versions of the packages that the closure imports directly."""
    top = {name.split(".")[0] for module in _closure(modules) for name in _imports(module)}
    distributions = _distributions()
    names = {each for name in top - {"lslm"} for each in distributions.get(name, ())}
    return {name: _version(name) for name in sorted(names)}


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Names of distributions by top-level module; reading them takes half a second."""
    return packages_distributions()


@cache
def _imports(module: str) -> frozenset[str]:
    """Names of modules that a module imports anywhere in its source."""
    file, found = _file(module), set[str]()
    if file is None or file.suffix != ".py":
        # Compiled: what it imports is not told.
        return frozenset()
    own = ("lslm.", f"{module.split('.', maxsplit=1)[0]}.")
    for node in ast.walk(ast.parse(_source(module))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            found.add(origin)
            names = (f"{origin}.{alias.name}" for alias in node.names)
            found |= {name for name in names if name.startswith(own) and _is_module(name)}
    return frozenset(found)


def _origin(module: str, node: ast.ImportFrom) -> str:
    """What a module imports from, by its whole name."""
    if not node.level:
        return node.module or ""
    spec = importlib.util.find_spec(module)
    inside = spec is not None and spec.submodule_search_locations is not None
    package = module if inside else module.rpartition(".")[0]
    return importlib.util.resolve_name("." * node.level + (node.module or ""), package)


@cache
def _is_module(name: str) -> bool:
    """Whether a name in a package is a module; looking inside a module would import it, and Keras with it."""
    package, _, _ = name.rpartition(".")
    try:
        above = importlib.util.find_spec(package)
        inside = above is not None and above.submodule_search_locations is not None
        return inside and importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@cache
def _file(module: str) -> Path | None:
    """A module's file; None where there is none, as of a folder of modules or one that is not installed."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def _source(module: str) -> bytes:
    file = _file(module)
    if file is None:
        raise ModuleNotFoundError(f"no source for {module}")
    return file.read_bytes()


@cache
def _source_digest(module: str) -> str:
    return hashlib.sha256(_source(module)).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
