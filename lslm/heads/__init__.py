"""Heads: one file each, found by looking rather than by a list that someone must edit.

A head is a module of this package that names its record `HEAD`. Other packages offer theirs through
the entry point group `lslm.heads`, which points at the record. Modules whose names start with an
underscore are not looked into; they may import Keras.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from lslm.errors import InputError
from lslm.heads.contract import Head, Targets
from lslm.settings import HeadSettings, Section, Settings, TextSettings
from lslm.text.pieces import in_pieces
from lslm.text.tokenizers import Tokenizer, marked, tokenizer

ENTRY_POINTS = "lslm.heads"


def get(kind: str) -> Head:
    """The head of that name; an unknown one raises InputError with the choices."""
    found = _found()
    if kind not in found:
        raise InputError(
            f"unknown head {kind!r}", where="head.kind", right=f"one of: {', '.join(found)}"
        )
    return found[kind]


def options(settings: HeadSettings) -> Section:
    """The head's own settings, checked; pydantic's ValidationError for what it does not know."""
    return get(settings.kind).options.model_validate(settings.options)


def settled(settings: Settings) -> Settings:
    """The settings with those options filled in that the head takes from elsewhere among them."""
    inherited = get(settings.head.kind).inherited
    if not inherited:
        return settings
    taken = {option: settings.at(name) for option, name in inherited.items()}
    head = settings.head.model_copy(update={"options": {**settings.head.options, **taken}})
    return settings.model_copy(update={"head": head})


def words(text: TextSettings, head: HeadSettings) -> Tokenizer:
    """How documents become words for a head: with marks between sentences, where it wants them."""
    return marked(tokenizer(text), get(head.kind).batching.sentences(options(head)))


def tokens(text: TextSettings, head: HeadSettings, targets: Targets) -> Tokenizer:
    """How documents become what a fitted network reads: words, or the pieces that they are cut into."""
    return in_pieces(words(text, head), get(head.kind).cutting(targets))


def names() -> tuple[str, ...]:
    """Names of all heads, in alphabetical order.

    Example:
        >>> "classify" in names()
        True
    """
    return tuple(_found())


@cache
def _found() -> dict[str, Head]:
    heads = _of_this_package() + [point.load() for point in entry_points(group=ENTRY_POINTS)]
    return {head.name: head for head in sorted(heads, key=lambda head: head.name)}


def _of_this_package() -> list[Head]:
    public = (m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in public)
    return [module.HEAD for module in modules if hasattr(module, "HEAD")]
