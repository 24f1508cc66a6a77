"""Answers of several systems for the same documents, on disk."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lslm.heads import ragged
from lslm.heads.contract import Array, Targets

_GROUPS = "groups.npy"


@dataclass(frozen=True)
class Answers:
    """What was true and what each system said; first axis the documents."""

    truth: Array
    outputs: Mapping[str, Array]
    """By system; `network` is ours."""
    targets: Targets
    part: Mapping[str, Any]
    """The report of the training part behind them (see `lslm.training.parts`)."""
    groups: Array | None = None
    """Number of each document's group, `(n,)`; those of one group are drawn together. None: each is by itself."""

    def of_group(self, rows: Array) -> Array | None:
        """Groups of some of the documents."""
        return None if self.groups is None else self.groups[rows]


def save(folder: Path, answers: Answers) -> None:
    """Write answers as arrays and JSON."""
    folder.mkdir(parents=True)
    ragged.save(folder / "truth", answers.truth)
    for system, values in answers.outputs.items():
        ragged.save(folder / system, values)
    if answers.groups is not None:
        np.save(folder / _GROUPS, answers.groups)
    content = {
        "systems": list(answers.outputs),
        "targets": answers.targets,
        "part": dict(answers.part),
    }
    (folder / "answers.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> Answers:
    """Read what `save` wrote."""
    content = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    outputs = {system: ragged.load(folder / system) for system in content["systems"]}
    truth = ragged.load(folder / "truth")
    groups = np.load(folder / _GROUPS) if (folder / _GROUPS).exists() else None
    return Answers(truth, outputs, content["targets"], content["part"], groups)
