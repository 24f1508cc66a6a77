"""What is timed of networks, inside a training process: the only part of costing that loads Keras.

Networks are trained by the function that runs train with, so that what it does is what is timed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lslm import heads
from lslm.costing.networks import Measured
from lslm.costing.rates import Line
from lslm.heads.contract import Array
from lslm.pretraining.learning import learn
from lslm.pretraining.recipe import Shape
from lslm.pretraining.windows import examples
from lslm.serving.assembly import assemble
from lslm.serving.recipe import Recipe
from lslm.settings import Hyperparameters, PretrainingSettings
from lslm.training import feeds
from lslm.training.epochs import Epoch
from lslm.training.fitting import fit
from lslm.training.parts import Part

_STEADY = 2
"""Epochs after the first that are timed at least; the first one builds the network as well."""
_WINDOWS = 12
"""Batches of windows that a language model is timed on, at most."""


def network_seconds(
    part_folder: Path,
    head_kind: str,
    hyperparameters: Hyperparameters,
    seconds: float,
    save: Path | None = None,
) -> Measured:
    """Train for about `seconds` of processor time after the first epoch."""
    part, head = Part(part_folder, hyperparameters.encoder), heads.get(head_kind)
    many = hyperparameters.replaced({"training.epochs": 1000})
    clock = _Clock(seconds)
    began = time.process_time()
    fit(part_folder, head_kind, many, 0, stop_early=False, save=save, on_event=clock)
    over = time.process_time()
    batches = feeds.of(part, head, hyperparameters, 0)
    shapes = [_shape(batches[number][0]) for number in range(len(batches))]
    return Measured(
        hyperparameters=hyperparameters,
        build=max(0.0, clock.stamps[0] - began - clock.epoch()),
        document=clock.epoch() / len(part.training),
        save=over - clock.stamps[-1],
        cells=sum(float(np.prod(shape)) for shape in shapes) / len(part.training),
        width=float(np.mean([shape[-1] for shape in shapes])),
        n_words=len(part.vocabulary),
    )


def reading_seconds(part_folder: Path, shape: Shape, settings: PretrainingSettings) -> Line:
    """Of a language model of one direction, by words and passes, on the part's first training documents."""
    part = Part(part_folder)
    rows = range(min(len(part.training), _WINDOWS * settings.batch_size))
    documents = [part.training.document(row, settings.window) for row in rows]
    windows = examples(documents, settings.window, "forward")
    clock = _Clock(0.0)
    began = time.process_time()
    vectors: Any = part.vectors
    learn(windows, vectors, shape, settings, 1 + _STEADY, None, on_event=clock)
    begin = max(0.0, clock.stamps[0] - began - clock.epoch())
    return Line(fixed=begin, each=clock.epoch() / len(windows.flat))


@dataclass(frozen=True)
class Answering:
    """Seconds of answering for documents held back, as trials do after each epoch."""

    begin: float
    """Once: before it learns, and before it answers."""
    answer: float
    """A document."""
    score: float
    """A document, by all metrics of the head."""
    outputs: Array


def answering_seconds(
    part_folder: Path, head_kind: str, measured: Measured, seconds: float
) -> Answering:
    """Train the same network again, with answers after each epoch."""
    part, head = Part(part_folder, measured.hyperparameters.encoder), heads.get(head_kind)
    patient = {"training.epochs": 1000, "training.patience": 1000}
    clock = _Clock(seconds)
    began = time.process_time()
    fitted = fit(
        part_folder,
        head_kind,
        measured.hyperparameters.replaced(patient),
        0,
        stop_early=True,
        on_event=clock,
    )
    outputs: Any = fitted.outputs
    scoring = time.process_time()
    for metric in head.metrics.values():
        metric(part.validation.targets, outputs)
    score = (time.process_time() - scoring) / len(part.validation)
    each = (clock.epoch() - measured.document * len(part.training)) / len(part.validation)
    return Answering(
        begin=max(0.0, clock.stamps[0] - began - clock.epoch()),
        answer=max(0.0, each - score),
        score=score,
        outputs=outputs,
    )


def assemble_seconds(
    folder: Path, members: Sequence[Path], recipe: Recipe, hyperparameters: Hyperparameters
) -> float:
    """Of making a model folder."""
    began = time.process_time()
    assemble(folder, members, recipe, hyperparameters)
    return time.process_time() - began


def _shape(inputs: Any) -> tuple[int, ...]:
    tokens = inputs[0] if isinstance(inputs, tuple) else inputs
    return tuple(tokens.shape)


@dataclass
class _Clock:
    """Hears of each epoch, and stops the fit when enough of them were timed."""

    seconds: float
    stamps: list[float] = field(default_factory=list[float])

    def __call__(self, epoch: Epoch) -> bool:
        self.stamps.append(time.process_time())
        n_steady = len(self.stamps) - 1
        return n_steady < _STEADY or self.stamps[-1] - self.stamps[0] < self.seconds

    def epoch(self) -> float:
        """Seconds of an epoch after the first."""
        return (self.stamps[-1] - self.stamps[0]) / (len(self.stamps) - 1)
