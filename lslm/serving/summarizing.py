"""A document's summary from a loaded model, with what every sentence and word did for it."""

from dataclasses import dataclass

from lslm.errors import InputError
from lslm.heads.summarize.head import HEAD, summarized
from lslm.heads.summarize.options import Length, Options
from lslm.serving.predictor import Predictor
from lslm.text.vocabulary import MARK


@dataclass(frozen=True)
class Sentence:
    """A sentence of the document."""

    text: str
    score: float
    """Probability that it belongs to the summary."""
    chosen: bool
    words: tuple[tuple[str, float], ...] = ()
    """Each word that was read with its attention; sums to 1. Empty where it was not asked for."""


@dataclass(frozen=True)
class Summary:
    """What `summarize` gives."""

    text: str
    sentences: tuple[Sentence, ...]


def summarize(
    predictor: Predictor, text: str, length: Length | None = None, attention: bool = False
) -> Summary:
    """Summarize one text, as long as the model's options say or `length` does.

    InputError for a text without a word, a model of another head, or `attention` where the network has
    none.
    """
    if predictor.description.head.kind != HEAD.name:
        raise InputError(
            f"the model {predictor.description.name!r} does not summarize",
            right=f"a model of the head {HEAD.name!r}",
        )
    cleaned = predictor.cleaned(text)
    if not cleaned:
        raise InputError("the document is empty", right="a text of one sentence or more")
    options = Options.model_validate(predictor.targets["options"])
    (scores,) = predictor.outputs([text])
    wanted = _like(length, options) if length else options
    answer = summarized(cleaned, scores, wanted, options)
    words = _by_sentence(predictor.attention([text])[0]) if attention else []
    return Summary(
        answer["summary"],
        tuple(
            Sentence(**each, words=tuple(words[place]) if words else ())
            for place, each in enumerate(answer["sentences"])
        ),
    )


def _like(length: Length, options: Options) -> Length:
    """The length that is asked for; what it says nothing of is as in training."""
    given = length.model_fields_set & {"max_overlap"}
    own = {name: getattr(options, name) for name in {"title", "max_overlap"} - given}
    return length.model_copy(update=own)


def _by_sentence(weighted: list[tuple[str, float]]) -> list[list[tuple[str, float]]]:
    found: list[list[tuple[str, float]]] = [[]]
    for word, weight in weighted:
        if word == MARK:
            found.append([])
        else:
            found[-1].append((word, weight))
    return found
