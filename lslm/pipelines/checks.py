"""What types alone cannot say: the head's own settings, its baselines, the search space."""

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError, create_model
from pydantic.fields import FieldInfo

from lslm.errors import InputError
from lslm.pipelines.problems import SPACE, Keys, Problem, dotted, from_pydantic, near
from lslm.pipelines.words import expected
from lslm.pretraining.recipe import PACED, SETTLED
from lslm.settings import (
    EncoderSettings,
    Hyperparameters,
    Range,
    Settings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from lslm.heads.contract import Head

_SECTIONS = {"encoder": EncoderSettings, "training": TrainingSettings}


def head_problems(settings: Settings) -> list[Problem]:
    """Problems with the head's name, its options and the names of its baselines."""
    from lslm import heads

    try:
        head = heads.get(settings.head.kind)
    except InputError as error:
        return [Problem(("head", "kind"), error.what, error.right)]
    problems: list[Problem] = []
    options = settings.head.options
    try:
        head.options.model_validate(options)
    except ValidationError as error:
        problems = from_pydantic(error, head.options, options, prefix=("head", "options"))
    problems += [
        Problem(
            ("corpus", "columns", name),
            f"the head {head.name!r} uses no column {name!r}{near(name, head.extras)}",
            f"one of: {', '.join(head.extras)}" if head.extras else "none",
        )
        for name in settings.corpus.columns
        if name not in head.extras
    ]
    problems += _disagreements(settings, head)
    problems += _classless_problems(settings, head)
    problems += _pretraining_problems(settings, head)
    problems += _outside_problems(settings)
    known = ", ".join(head.baselines)
    return problems + [
        Problem(
            ("evaluation", "baselines", index),
            f"unknown baseline {name!r}{near(name, head.baselines)}",
            f"one of: {known}",
        )
        for index, name in enumerate(settings.evaluation.baselines or ())
        if name not in head.baselines
    ]


def _disagreements(settings: Settings, head: "Head") -> list[Problem]:
    """Settings that the head must have at another value, and options that are given twice, differently."""
    unmet = [
        Problem(
            tuple(name.split(".")),
            f"{name} is {settings.at(name)!r}, which the head {head.name!r} has no use for",
            str(value),
        )
        for name, value in head.needs.items()
        if settings.at(name) != value
    ]
    unmet += [
        Problem(
            (*SPACE, name), f"the head {head.name!r} takes {name} at one value alone", str(value)
        )
        for name, value in head.needs.items()
        if name in (settings.search.space or {})
    ]
    options = settings.head.options
    return unmet + [
        Problem(
            ("head", "options", option),
            f"{options[option]!r} is not {name}, which is {settings.at(name)!r}",
            f"{name} alone",
        )
        for option, name in head.inherited.items()
        if option in options and options[option] != settings.at(name)
    ]


def _classless_problems(settings: Settings, head: "Head") -> list[Problem]:
    """Settings that tell of classes or of served baselines, for a head that has none."""
    evaluation, problems = settings.evaluation, []
    if head.classes is None:
        what = f"answers of the head {head.name!r} are no classes"
        given = (
            (("evaluation", "swaps"), evaluation.swaps, "none"),
            (("evaluation", "wanted_accuracy"), evaluation.wanted_accuracy, "null"),
            (("gate", "test"), settings.gate.test == "mcnemar", "auto or bootstrap"),
        )
        problems += [Problem(at, what, right) for at, value, right in given if value]
    if settings.registry.candidate == "best" and not head.kept:
        what = f"baselines of the head {head.name!r} cannot be served"
        problems.append(Problem(("registry", "candidate"), what, "network"))
    return problems


def _outside_problems(settings: Settings) -> list[Problem]:
    """Vectors of whole words, where the words are cut into pieces that each training part finds anew."""
    pieces = settings.head.options.get("subwords")
    if not (pieces and settings.corpus.outside and settings.embedding.method == "word2vec"):
        return []
    what = "vectors of its whole words are nothing to begin pieces of words with"
    return [Problem(("corpus", "outside"), what, "none, embedding.method: none, or whole words")]


def _pretraining_problems(settings: Settings, head: "Head") -> list[Problem]:
    """A head that does not read the encoder, and names that a pretrained layer settles or is needed for."""
    given = settings.search.space or {}
    if not settings.pretraining.language_model:
        return [
            Problem(
                (*SPACE, name),
                f"{name} is for a pretrained layer",
                "pretraining.language_model: true",
            )
            for name in PACED
            if name in given
        ]
    problems = [
        Problem((*SPACE, name), f"the pretrained layer has {name} at one value", f"no {name} here")
        for name in SETTLED
        if name in given
    ]
    if SETTLED[0] not in head.unused:
        return problems
    what = f"the head {head.name!r} does not use the encoder's recurrent layers"
    return [*problems, Problem(("pretraining", "language_model"), what, "false")]


def space_problems(values: dict[str, Any]) -> list[Problem]:
    """Problems with the names and values of `search.space`, read before any type is checked."""
    search = values.get("search")
    space = search.get("space") if isinstance(search, dict) else None
    if not isinstance(space, dict):
        return []
    fields = _searchable(values)
    return [
        problem
        for name, entry in space.items()
        for problem in _entry_problems(str(name), entry, fields)
    ]


def _entry_problems(name: str, entry: Any, fields: dict[str, FieldInfo]) -> list[Problem]:
    at: Keys = (*SPACE, name)
    if name not in fields:
        what = f"unknown setting {name!r} in search.space{near(name, fields)}"
        return [Problem(at, what, f"one of: {', '.join(fields)}")]
    if isinstance(entry, list):
        return _choice_problems(at, name, entry, fields[name])
    if not isinstance(entry, dict):
        right = "a list of choices, or a range {low, high, step, log}"
        return [Problem(at, f"{dotted(at)} is {entry!r}", right)]
    try:
        limits = Range.model_validate(entry)
    except ValidationError as error:
        return from_pydantic(error, Range, entry, prefix=at)
    return _range_problems(at, name, limits, fields[name])


def _searchable(values: dict[str, Any]) -> dict[str, FieldInfo]:
    """Fields by dotted name: of the encoder, of training, and those options that the head lets go."""
    from lslm import heads

    found = {
        f"{section}.{field}": info
        for section, model in _SECTIONS.items()
        for field, info in model.model_fields.items()
    }
    head = values.get("head")
    kind = head.get("kind", "classify") if isinstance(head, dict) else "classify"
    if kind in heads.names():
        record = heads.get(kind)
        found |= {f"head.{name}": record.options.model_fields[name] for name in record.searchable}
    return found


def _choice_problems(at: Keys, name: str, choices: list[Any], field: FieldInfo) -> list[Problem]:
    if not choices:
        return [Problem(at, f"{dotted(at)} is an empty list", "at least one choice")]
    return [
        Problem((*at, index), f"{name} cannot be {choice!r}", expected(field))
        for index, choice in enumerate(choices)
        if not _takes(name, choice, field)
    ]


def _range_problems(at: Keys, name: str, limits: Range, field: FieldInfo) -> list[Problem]:
    if field.annotation is not int and field.annotation is not float:
        what = f"{name} takes no range"
        return [Problem(at, what, f"a list of choices, each {expected(field)}")]
    whole = field.annotation is int
    bad = [edge for edge in (limits.low, limits.high) if not _takes(name, _as(edge, whole), field)]
    if bad:
        return [Problem(at, f"{name} cannot be {bad[0]:g}", expected(field))]
    rules = (
        (limits.low >= limits.high, "low is not below high", "low < high"),
        (limits.step is not None and limits.step <= 0, "step is not above 0", "step > 0"),
        (limits.log and limits.step is not None, "log and step together", "one of the two"),
        (limits.log and limits.low <= 0, "log from a low of 0 or less", "low > 0"),
        (
            whole and limits.step is not None and not limits.step.is_integer(),
            "step is not whole",
            "a whole number",
        ),
        (
            whole and limits.step is None and name.startswith("head."),
            "a head's whole numbers without a step",
            "a step, such as 1, or a list of choices",
        ),
    )
    return [Problem(at, f"{dotted(at)}: {what}", right) for broken, what, right in rules if broken]


def _as(value: float, whole: bool) -> int | float:
    return int(value) if whole and value.is_integer() else value


def _takes(name: str, value: Any, field: FieldInfo) -> bool:
    # `true` would pass for the number 1.
    if isinstance(value, bool) and field.annotation is not bool:
        return False
    try:
        if name.startswith("head."):
            create_model("Option", value=(field.annotation or Any, field))(value=value)
        else:
            Hyperparameters().replaced({name: value})
    except ValidationError:
        return False
    return True
