"""A pipeline file as plain values that remember the line, or the override, they came from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from lslm.errors import InputError
from lslm.pipelines.problems import Keys, shown

_WHOLE_NAMES = ("search.space", "head.options")
"""What stands behind these is one key, dots included."""


@dataclass
class Document:
    """Values of a pipeline file, with overrides on top."""

    name: str
    """As the person wrote it, for messages."""
    values: dict[str, Any]
    lines: dict[Keys, int]
    """The line of each key and list item, counted from 1."""
    overrides: dict[Keys, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Document":
        """Read a YAML file; what is not YAML raises InputError with the line."""
        name = _short(file)
        tree = _parse(file, name)
        if tree is None:
            tree = CommentedMap()
        if not isinstance(tree, CommentedMap):
            what = f"holds {shown(tree)}"
            raise InputError(what, where=f"{name}:1", right="settings, each `key: value`")
        lines: dict[Keys, int] = {}
        _number(tree, (), lines)
        return cls(name, _plain(tree), lines)

    def override(self, text: str) -> None:
        """Put `dotted.name=value` on top; the value is read as YAML."""
        name, sign, written = text.partition("=")
        if not sign or not name.strip():
            right = "NAME=VALUE, such as search.n_trials=40"
            raise InputError("is no override", where=f"--set {text}", right=right)
        keys = _split(name.strip())
        try:
            value = _plain(YAML(typ="safe", pure=True).load(written))
        except (YAMLError, ValueError):
            raise InputError(
                f"{written!r} is not a YAML value", where=f"--set {text}", right="NAME=VALUE"
            ) from None
        _place(self.values, keys, value, f"--set {text}")
        self.overrides[keys] = f"--set {text}"

    def where(self, keys: Keys) -> str:
        """The override or the file and line that a value came from."""
        for given, text in reversed(self.overrides.items()):
            if keys[: len(given)] == given:
                return text
        line = self._line(keys)
        return f"{self.name}:{line}" if line else self.name

    def order(self, keys: Keys) -> tuple[bool, int]:
        """Sorts problems as a reader meets them: the file's lines, then the overrides."""
        return self.where(keys).startswith("--set "), self._line(keys)

    def _line(self, keys: Keys) -> int:
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 0)


def _short(file: Path) -> str:
    """Relative to the working directory where the file is below it."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def _parse(file: Path, name: str) -> Any:
    try:
        return YAML(typ="rt").load(file.read_text(encoding="utf-8-sig"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        what = f"not YAML: {error.problem or error.context}"
        raise InputError(what.splitlines()[0], where=f"{name}{line}", right="key: value") from None
    except (YAMLError, ValueError) as error:
        # ValueError: no text in UTF-8, or a date that does not exist.
        what = f"not YAML: {str(error).splitlines()[0]}"
        raise InputError(what, where=name, right="a YAML file in UTF-8") from None


def _number(node: Any, at: Keys, lines: dict[Keys, int]) -> None:
    if isinstance(node, CommentedMap):
        for key in node:
            # A key that came from a merge (`<<`) has no place of its own.
            place = (node.lc.data or {}).get(key)
            lines[(*at, key)] = place[0] + 1 if place else lines.get(at, 0)
            _number(node[key], (*at, key), lines)
    elif isinstance(node, CommentedSeq):
        for index, item in enumerate(node):
            place = (node.lc.data or {}).get(index)
            lines[(*at, index)] = place[0] + 1 if place else lines.get(at, 0)
            _number(item, (*at, index), lines)


def _plain(node: Any) -> Any:
    """Built-in types only: the parser's own subclasses carry comments along."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    # YAML reads 2024-01-31 as a date; no setting is one.
    return None if node is None else str(node)


def _split(name: str) -> Keys:
    """Keys of a dotted name.

    Example:
        >>> _split("search.space.encoder.units"), _split("corpus.sources.0.path")
        (('search', 'space', 'encoder.units'), ('corpus', 'sources', 0, 'path'))
    """
    for prefix in _WHOLE_NAMES:
        if name.startswith(f"{prefix}."):
            return (*prefix.split("."), name.removeprefix(f"{prefix}."))
    return tuple(int(part) if part.isdecimal() else part for part in name.split("."))


def _place(values: dict[str, Any], keys: Keys, value: Any, where: str) -> None:
    parent: Any = values
    for depth, key in enumerate(keys):
        if isinstance(parent, list) and not (isinstance(key, int) and key < len(parent)):
            raise InputError(
                f"{'.'.join(map(str, keys[:depth]))} has no item {key}",
                where=where,
                right=f"0 to {len(parent) - 1}" if parent else "a list with items",
            )
        if depth == len(keys) - 1:
            cast("Any", parent)[key] = value
            return
        if isinstance(parent, dict) and not isinstance(parent.get(key), dict | list):
            parent[key] = {}
        parent = cast("Any", parent)[key]
        if not isinstance(parent, (dict, list)):
            raise InputError(f"{key} has no settings below it", where=where, right="NAME=VALUE")
