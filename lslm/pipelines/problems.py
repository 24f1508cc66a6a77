"""What is wrong with a value, in words: the value, what is expected there, a near name."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from lslm.pipelines.words import expected

Keys = tuple[str | int, ...]
"""The way from the top of the settings to a value."""


SPACE: Keys = ("search", "space")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    at: Keys
    what: str
    right: str
    """Empty where `what` says it."""


def from_pydantic(
    error: ValidationError, model: type[BaseModel], values: Any, prefix: Keys = ()
) -> list[Problem]:
    """One problem for each place that pydantic refused; the kinds of a union are told together."""
    found: dict[Keys, Problem] = {}
    for detail in error.errors(include_url=False, include_input=False):
        if not prefix and detail["loc"][:2] == SPACE and len(detail["loc"]) > len(SPACE):
            continue  # `space_problems` knows which setting is meant and says more.
        if detail["type"] == "value_error":
            # A rule between settings, which says itself what is wrong and what would be right.
            problem = Problem(
                (*prefix, *detail["loc"]), detail["msg"].removeprefix("Value error, "), ""
            )
        else:
            problem = _problem(detail["type"], detail["loc"], model, values, prefix)
        found.setdefault(problem.at, problem)
    return list(found.values())


def near(name: str, choices: Iterable[str]) -> str:
    """A question for the nearest choice, or nothing.

    Example:
        >>> near("n_trial", ["n_trials", "seed"])
        " (did you mean 'n_trials'?)"
    """
    close = difflib.get_close_matches(name, list(choices), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def dotted(keys: Keys) -> str:
    """The name as `--set` takes it."""
    return ".".join(map(str, keys))


def unknown_key(at: Keys, choices: Iterable[str]) -> Problem:
    """A key that nobody knows, with the known ones."""
    known = sorted(choices)
    key = str(at[-1])
    section = f" in {dotted(at[:-1])}" if len(at) > 1 else ""
    what = f"unknown key {key!r}{section}{near(key, known)}"
    return Problem(at, what, f"one of: {', '.join(known)}" if known else "no key here")


def _problem(kind: str, loc: Keys, model: type[BaseModel], values: Any, prefix: Keys) -> Problem:
    if kind == "missing":
        at = (*prefix, *loc)
        right = expected(_field(model, loc))
        return Problem(at, f"{dotted(at)} is missing", right)
    depth, value = _reached(values, loc)
    at = (*prefix, *loc[:depth])
    if kind == "extra_forbidden":
        section = _field(model, loc[:-1])
        known = _model_in(section.annotation if isinstance(section, FieldInfo) else section)
        return unknown_key(at, known.model_fields if known else ())
    field = _field(model, loc[:depth])
    hint = near(value, _choices(field)) if isinstance(value, str) else ""
    return Problem(at, f"{dotted(at)} is {_shown(value)}{hint}", expected(field))


def _reached(values: Any, loc: Keys) -> tuple[int, Any]:
    """How far `loc` leads into the values (pydantic adds names of a union's kinds), and to what."""
    for depth, key in enumerate(loc):
        inside = isinstance(values, dict) and key in values
        if not inside and not (isinstance(values, list) and isinstance(key, int)):
            return depth, values
        values = cast("Any", values)[key]
    return len(loc), values


def _field(model: type[BaseModel], loc: Keys) -> Any:
    """The field that `loc` leads to; inside a list or a mapping, the type of what is in it."""
    found: Any = model
    for key in loc:
        annotation = found.annotation if isinstance(found, FieldInfo) else found
        section = _model_in(annotation)
        if section is None:
            found = _item(annotation)
        elif isinstance(key, str):
            found = section.model_fields[key]
        else:
            found = section
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings class in an annotation such as `tuple[Source, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inside = [m for a in getattr(annotation, "__args__", ()) if (m := _model_in(a))]
    return inside[0] if inside else None


def _item(annotation: Any) -> Any:
    inside = [a for a in getattr(annotation, "__args__", ()) if a is not ...]
    return inside[-1] if inside else annotation


def _choices(field: Any) -> list[str]:
    annotation = field.annotation if isinstance(field, FieldInfo) else field
    return [a for a in getattr(annotation, "__args__", ()) if isinstance(a, str)]


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "empty", True: "true", False: "false"}[value]
    return repr(value)
