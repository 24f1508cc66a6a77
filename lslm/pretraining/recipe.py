"""What a language model is learned for: the first recurrent layer of the encoder. No Keras here."""

from pathlib import Path
from typing import Literal

from lslm.settings import Excerpt, PretrainingSettings, Section

SETTLED = ("encoder.cell", "encoder.units", "encoder.bidirectional", "encoder.vector_units")
"""Settings that the shape of the weights hangs on: with pretraining they have one value and are not searched."""

PACED = ("training.unfreeze_epochs", "training.layer_decay")
"""Settings that mean nothing without a pretrained layer."""


class Shape(Excerpt):
    """Of the first recurrent layer: the encoder's own.

    Example:
        >>> from lslm.settings import EncoderSettings
        >>> str(Shape.of(EncoderSettings(units=64)))
        'lstm, 64 units, both directions'
    """

    cell: Literal["lstm", "gru"]
    units: int
    bidirectional: bool

    @property
    def directions(self) -> tuple[str, ...]:
        """In the order in which the layer keeps their weights."""
        return ("forward", "backward") if self.bidirectional else ("forward",)

    def __str__(self) -> str:
        return f"{self.cell}, {self.units} units, {'both directions' if self.bidirectional else 'forward'}"


class Recipe(Section):
    """How each training part gets its recurrent weights."""

    settings: PretrainingSettings
    shape: Shape
    outside: Path | None = None
    """What was learned from the text outside the corpus, to go on from; None: a part begins from nothing."""
