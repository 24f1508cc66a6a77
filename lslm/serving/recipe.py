"""What a model folder is made of besides its networks. No Keras here."""

from dataclasses import dataclass
from pathlib import Path

from lslm.settings import CleaningSettings, HeadSettings, Section, Settings, TextSettings


class Serving(Section):
    """How a model is to be served, whatever is learned."""

    name: str
    text: TextSettings
    cleaning: CleaningSettings
    networks: bool
    """Whether the Keras networks lie beside the graph."""

    @classmethod
    def of(cls, settings: Settings) -> "Serving":
        """As the pipeline has it."""
        return cls(
            name=settings.name,
            text=settings.text,
            cleaning=settings.cleaning,
            networks=settings.keeps_networks,
        )


@dataclass(frozen=True)
class Recipe:
    """All of a model folder but its networks and their hyperparameters."""

    part_folder: Path
    """What the networks are fitted on."""
    documents: Path
    """The development set; its fingerprints are kept: the gate compares models on documents that neither
    trained on."""
    head: HeadSettings
    serving: Serving
