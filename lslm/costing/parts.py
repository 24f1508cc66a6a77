"""What a training part takes besides its vectors."""

from pathlib import Path

from lslm.costing import timing
from lslm.costing.rates import Line
from lslm.costing.samples import Chosen, Sample
from lslm.costing.vectors import VectorRates, rarer
from lslm.settings import Settings
from lslm.training.workers import Workers

PART = "part-1"
"""Folder of the larger of the two parts that are made."""


def prepared(
    corpus: Sample,
    chosen: Chosen,
    vectors: VectorRates,
    settings: Settings,
    folder: Path,
    processes: Workers,
) -> Line:
    """Seconds by documents, without the vectors' own; two parts are left below `folder`."""
    once = rarer(settings.embedding, 1)
    own = not settings.corpus.outside
    took: list[float] = []
    for number, rows in enumerate(chosen.training):
        spent = processes.run(
            timing.prepare_seconds,
            documents=corpus.documents,
            tokens=corpus.folder,
            training=rows,
            validation=chosen.validation,
            outside=None if own else vectors.folder,
            embedding=once,
            head=settings.head,
            into=folder / f"part-{number}",
        )
        epochs = 1 if own else once.adapt_epochs
        n_types = corpus.n_types(rows) if own else vectors.n_types
        took.append(spent - vectors.words * epochs * corpus.n_tokens(rows) - vectors.each * n_types)
    few, many = (len(rows) + len(chosen.validation) for rows in chosen.training)
    each = max(0.0, took[1] - took[0]) / max(1, many - few)
    return Line(fixed=max(0.0, took[1] - each * many), each=each)
