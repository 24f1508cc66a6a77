"""What is wrong with a value, in words: the value, what is expected there, a near name."""

import difflib
import reprlib
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from lslm.pipelines.words import expected

Keys = tuple[str | int, ...]
"""The way from the top of the settings to a value."""


SPACE: Keys = ("search", "space")
_KEY = "[key]"
"""What pydantic puts behind the way to a value where it means its key."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = 60


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
    for detail in error.errors(include_url=False):
        loc = detail["loc"]
        if not prefix and loc[:2] == SPACE and len(loc) > len(SPACE):
            continue  # `space_problems` knows which setting is meant and says more.
        if detail["type"] == "value_error":
            # A rule between settings, which says itself what is wrong and what would be right.
            problem = Problem((*prefix, *loc), detail["msg"].removeprefix("Value error, "), "")
        elif detail["type"] == "invalid_key":
            problem = _key_problem(detail["input"], loc[:-1], model, prefix)
        elif loc[-1:] == (_KEY,):
            problem = _key_problem(detail["input"], loc[:-2], model, prefix)
        else:
            problem = _problem(detail["type"], loc, model, values, prefix)
        found.setdefault(problem.at, problem)
    # A list without its bad items may be too short as well: that is told with them.
    told = {at[:depth] for at in found for depth in range(len(at))}
    return [problem for at, problem in found.items() if at not in told]


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


def shown(value: Any) -> str:
    """A value as a person knows it, long ones cut.

    Example:
        >>> shown("tep"), shown(True), shown([1, 2])
        ("'tep'", 'true', 'a list')
    """
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "empty", True: "true", False: "false"}[value]
    return _SHORT.repr(value)


def _key_problem(key: Any, loc: Keys, model: type[BaseModel], prefix: Keys) -> Problem:
    """A key that is no text, in the mapping at `loc`."""
    at = (*prefix, *loc)
    section = f" in {dotted(at)}" if at else ""
    known = _model_in(_annotation(_field(model, loc)))
    right = f"one of: {', '.join(sorted(known.model_fields))}" if known else expected(str)
    return Problem((*at, key), f"a key{section} is {shown(key)}", right)


def _problem(kind: str, loc: Keys, model: type[BaseModel], values: Any, prefix: Keys) -> Problem:
    if kind == "missing":
        at = (*prefix, *loc)
        right = expected(_field(model, loc))
        return Problem(at, f"{dotted(at)} is missing", right)
    depth, value = _reached(values, loc)
    at = (*prefix, *loc[:depth])
    if kind == "extra_forbidden":
        known = _model_in(_annotation(_field(model, loc[:-1])))
        return unknown_key(at, known.model_fields if known else ())
    field = _field(model, loc[:depth])
    hint = near(value, _choices(field)) if isinstance(value, str) else ""
    return Problem(at, f"{dotted(at)} is {shown(value)}{hint}", expected(field))


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
        annotation = _annotation(found)
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


def _annotation(field: Any) -> Any:
    """The type of a field, or of what is in one."""
    return _bare(field.annotation if isinstance(field, FieldInfo) else field)


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and `| None`.

    Example:
        >>> _bare(Annotated[tuple[str, ...], "limits"] | None)
        tuple[str, ...]
    """
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bare(inside[0])
    kinds = [kind for kind in inside if kind is not type(None)]
    if origin in (Union, types.UnionType) and len(kinds) == 1:
        return _bare(kinds[0])
    return annotation


def _item(annotation: Any) -> Any:
    """The type of what is in a list or a mapping."""
    inside = [a for a in get_args(annotation) if a is not ...]
    return inside[-1] if inside else annotation


def _choices(field: Any) -> list[str]:
    return [a for a in get_args(_annotation(field)) if isinstance(a, str)]
