"""Whether Python and the packages are those that work together."""

import importlib.metadata
import platform
import sys
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lslm.diagnosis.checks import Check

_NAME = "lslm"


def python() -> Iterator[Check]:
    """The version of Python."""
    wanted = SpecifierSet(importlib.metadata.metadata(_NAME)["Requires-Python"])
    version = platform.python_version()
    yield Check(
        "python",
        ok=wanted.contains(version, prereleases=True),
        found=f"{version} at {sys.executable}",
        mend=f"install Python {wanted}, and lslm there",
    )


def packages() -> Iterator[Check]:
    """Every package that lslm needs, against the bounds it states."""
    needed = [
        requirement
        for line in importlib.metadata.requires(_NAME) or ()
        if _applies(requirement := Requirement(line))
    ]
    wrong = [check for each in needed if (check := package(each)) is not None]
    yield from wrong
    if not wrong:
        versions = {each.name: importlib.metadata.version(each.name) for each in needed}
        main = ("prefect", "mlflow", "optuna", "gensim", "keras", "fastapi")
        told = ", ".join(f"{name} {versions[name]}" for name in main if name in versions)
        yield Check("packages", ok=True, found=f"{len(needed)} within their bounds; {told}")


def package(wanted: Requirement) -> Check | None:
    """What is wrong with one package; None where nothing is.

    Example:
        >>> package(Requirement("pydantic>=2")) is None
        True
        >>> package(Requirement("pydantic<1")).mend
        "pip install 'pydantic<1'"
    """
    name, mend = f"package {wanted.name}", f"pip install '{wanted.name}{wanted.specifier}'"
    try:
        there = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, ok=False, found="not installed", mend=mend)
    if wanted.specifier.contains(Version(there), prereleases=True):
        return None
    return Check(name, ok=False, found=f"{there}, and not {wanted.specifier}", mend=mend)


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})
