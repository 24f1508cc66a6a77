"""What a language model takes that starts the first recurrent layer."""

from pathlib import Path

from lslm.costing.rates import Line
from lslm.pretraining.recipe import Shape
from lslm.settings import Settings
from lslm.training.workers import Workers


def reading(part: Path, settings: Settings, processes: Workers) -> Line:
    """Seconds of one direction by words and passes, in a training process; nothing without a language model."""
    if not settings.pretraining.language_model:
        return Line()
    return processes.run(
        "lslm.costing.training:reading_seconds",
        part_folder=part,
        shape=Shape.of(settings.encoder),
        settings=settings.pretraining,
    )
