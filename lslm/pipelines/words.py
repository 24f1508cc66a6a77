"""What a setting takes, in words a person reads: 'a whole number of at least 1'."""

import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lslm.settings import Duration, Megabytes, Milliseconds, SearchSpace

_KNOWN: tuple[tuple[Any, str], ...] = (
    (SearchSpace, "names of settings, each with a list of choices or {low, high, step, log}"),
    (Duration, "seconds above 0, or a time such as 90s, 5m, 2h"),
    (Megabytes, "megabytes above 0, or a size such as 500KB, 2MB, 1GB"),
    (Milliseconds, "milliseconds above 0, or a time such as 500us, 1ms, 2s"),
)
_PLAIN: dict[Any, str] = {
    bool: "true or false",
    str: "text (in quotes where it looks like a number)",
    Path: "a path",
    type(None): "null",
}


def expected(field: FieldInfo | Any) -> str:
    """What a field or a type takes.

    Example:
        >>> from pydantic import PositiveInt
        >>> expected(PositiveInt), expected(Literal["max", "last"] | None)
        ('a whole number of at least 1', "one of: 'max', 'last'; or null")
    """
    if isinstance(field, FieldInfo):
        # A pattern says little to a person; the setting's own description says it in words.
        if any(getattr(limit, "pattern", None) for limit in field.metadata):
            return str(field.description).rstrip(".").lower()
        return _words(field.annotation, tuple(field.metadata))
    return _words(field, ())


def _words(annotation: Any, limits: tuple[Any, ...]) -> str:
    known = next((words for kind, words in _KNOWN if annotation == kind), None)
    if known is not None:
        return known
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(inside[0], (*limits, *inside[1:]))
    if origin in (Union, types.UnionType):
        return _one_of_kinds(inside, limits)
    if origin is Literal:
        return f"one of: {', '.join(map(repr, inside))}"
    if origin is tuple:
        least = _bound(limits, "min_length")
        some = "of" if least is None else f"of at least {least}"
        return f"a list {some}: {_words(inside[0], ())}"
    if origin is dict:
        return f"a mapping to: {_words(inside[1], ())}" if inside[1] is not Any else "a mapping"
    if annotation in (int, float):
        return _number(annotation, limits)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a mapping with keys of: {', '.join(annotation.model_fields)}"
    return _PLAIN.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _one_of_kinds(kinds: tuple[Any, ...], limits: tuple[Any, ...]) -> str:
    some = [_words(kind, limits) for kind in kinds if kind is not type(None)]
    joined = ", or ".join(some)
    if type(None) not in kinds:
        return joined
    return f"{joined}; or null" if ", " in joined else f"{joined}, or null"


def _number(kind: type, limits: tuple[Any, ...]) -> str:
    """A number within its limits.

    Example:
        >>> from annotated_types import Ge, Lt
        >>> _number(float, (Ge(0), Lt(1)))
        'a number from 0 up to but not including 1'
    """
    bounds = {name: _bound(limits, name) for name in ("ge", "gt", "le", "lt")}
    noun = "a whole number" if kind is int else "a number"
    if kind is int and bounds["gt"] is not None:
        bounds["ge"], bounds["gt"] = bounds["gt"] + 1, None
    match bounds:
        case {"ge": None, "gt": None, "le": None, "lt": None}:
            return noun
        case {"ge": low, "le": high} if low is not None and high is not None:
            return f"{noun} from {low} to {high}"
        case {"ge": low, "lt": high} if low is not None and high is not None:
            return f"{noun} from {low} up to but not including {high}"
        case {"gt": low, "le": high} if low is not None and high is not None:
            return f"{noun} above {low} and at most {high}"
        case {"gt": low, "lt": high} if low is not None and high is not None:
            return f"{noun} between {low} and {high}, neither included"
        case {"ge": low} if low is not None:
            return f"{noun} of at least {low}"
        case {"gt": low} if low is not None:
            return f"{noun} above {low}"
        case {"le": high} if high is not None:
            return f"{noun} of at most {high}"
        case _:
            return f"{noun} below {bounds['lt']}"


def _bound(limits: tuple[Any, ...], name: str) -> Any:
    """The limit of that name; pydantic keeps them bare or inside a FieldInfo."""
    for limit in limits:
        nested = _bound(tuple(limit.metadata), name) if isinstance(limit, FieldInfo) else None
        value = getattr(limit, name, None) if nested is None else nested
        if value is not None:
            return value
    return None
