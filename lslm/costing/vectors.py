"""What Word2Vec takes."""

from dataclasses import dataclass
from pathlib import Path

from lslm.costing import timing
from lslm.costing.rates import Part
from lslm.costing.samples import Sample
from lslm.settings import EmbeddingSettings, Settings
from lslm.training import workers
from lslm.training.workers import Workers

_WORDS = 250_000
"""At most, of the documents that Word2Vec is timed on."""


@dataclass(frozen=True)
class VectorRates:
    """What Word2Vec was found to take."""

    words: float
    """Seconds a word and pass, on one thread."""
    words_outside: float
    """The same on all threads of pretraining."""
    each: float
    """Seconds a word of the vocabulary, before and after the passes."""
    n_types: int
    """Words of the vectors in `folder`."""
    folder: Path | None


def vectors(
    samples: dict[Part, Sample], settings: Settings, folder: Path, processes: Workers
) -> VectorRates:
    """One and two passes over the same documents tell a pass and what comes before and after."""
    embedding = settings.embedding
    if embedding.method == "none":
        return VectorRates(0.0, 0.0, 0.0, 0, None)
    sample = samples.get("outside", samples["corpus"])
    rows = sample.rows(_WORDS)
    n_words = sample.n_tokens(rows)
    once = rarer(embedding, 1)
    alone = [
        processes.run(
            timing.vectors_seconds,
            tokens=sample.folder,
            rows=rows,
            embedding=once.model_copy(update={"epochs": epochs}),
            threads=1,
            into=folder / f"vectors-{epochs}",
        )
        for epochs in (1, 2)
    ]
    words = max(0.0, alone[1] - alone[0]) / n_words
    threads = embedding.workers or workers.available_cores()
    words_outside = words
    if "outside" in samples and threads > 1:
        together = [
            timing.vectors_seconds(
                sample.folder,
                rows,
                once.model_copy(update={"epochs": epochs}),
                threads,
                folder / f"vectors-{threads}-{epochs}",
            )
            for epochs in (1, 2)
        ]
        words_outside = max(words, (together[1] - together[0]) / n_words)
    n_types = sample.n_types(rows)
    each = max(0.0, alone[0] - words * n_words) / n_types
    return VectorRates(words, words_outside, each, n_types, folder / "vectors-1")


def rarer(embedding: EmbeddingSettings, epochs: int) -> EmbeddingSettings:
    """A sample sees a word less often: with fewer occurrences needed its table has more of its size."""
    return embedding.model_copy(
        update={"epochs": epochs, "adapt_epochs": min(1, embedding.adapt_epochs), "min_count": 1}
    )
