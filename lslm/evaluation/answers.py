"""Answers of several systems for the same documents, on disk."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lslm.heads.contract import Array, Targets


@dataclass(frozen=True)
class Answers:
    """What was true and what each system said; first axis the documents."""

    truth: Array
    outputs: Mapping[str, Array]
    """By system; `network` is ours."""
    targets: Targets
    part: Mapping[str, Any]
    """The report of the training part behind them (see `lslm.training.parts`)."""


def save(folder: Path, answers: Answers) -> None:
    """Write answers as arrays and JSON."""
    folder.mkdir(parents=True)
    np.save(folder / "truth.npy", answers.truth)
    for system, values in answers.outputs.items():
        np.save(folder / f"{system}.npy", values)
    content = {
        "systems": list(answers.outputs),
        "targets": answers.targets,
        "part": dict(answers.part),
    }
    (folder / "answers.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> Answers:
    """Read what `save` wrote."""
    content = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    outputs = {system: np.load(folder / f"{system}.npy") for system in content["systems"]}
    truth = np.load(folder / "truth.npy")
    return Answers(truth, outputs, content["targets"], content["part"])
