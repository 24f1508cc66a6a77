"""What the head's user sets, and how long a summary is."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from lslm.settings import Section


class Length(Section):
    """How long a summary is, and how much its sentences may repeat each other.

    Where several limits are given, each holds. One sentence is chosen in any case.
    """

    n_sentences: PositiveInt | None = 1
    """At most."""
    words: PositiveInt | None = None
    """At most."""
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    """Of the document's words, at most."""
    max_overlap: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Share of a sentence's words that sentences chosen before it may hold; 1: no control."""
    title: bool = False
    """Whether the first sentence is the title: others are compared with it, and it is never chosen."""


class Options(Length):
    """Settings of the head `summarize`."""

    split: Literal["sentences", "lines"] = "sentences"
    """`lines`: each line is a sentence, as where documents come as lists of sentences."""
    language: str = "en"
    """ISO 639 code of the documents, for their sentences and for the stems that ROUGE compares."""
    objective: Literal["hard", "soft", "ranking"] = "soft"
    """What is learned: whether a sentence belongs to the best summary, how well it does alone, or which
    sentence does best. Can be searched as `head.objective`."""
    sharpness: PositiveFloat = 20.0
    """Of `ranking`: how far the target goes to the best sentence alone. Can be searched."""
    sentence_units: PositiveInt = 64
    """Of one direction of the layer over sentences. Can be searched."""
