"""A model as files: data only, no pickles, nothing read that is not what was written.

model.json        the description, with the format's number
vocabulary.json   words in the order of their ids
model.onnx        all networks in one graph, which answers; a baseline has baseline.skops instead
step.onnx         of a language model: a step of it, its state going in and out
members/0.keras   each network, to go on training or to look into
seen.npy          sorted fingerprints of the documents it was trained on
manifest.json     the SHA-256 of each other file
"""

import hashlib
import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

import lslm
from lslm.errors import InputError
from lslm.settings import CleaningSettings, HeadSettings, Hyperparameters, Section, TextSettings
from lslm.text.vocabulary import Vocabulary

FORMAT = 4
"""Raised when an older library would misread what this one writes, or this one what an older one wrote.

A new setting does not raise it: an older library refuses the folder all the same, and says by which version it was
written.
"""
READABLE = (1, 2, 3, 4)
"""Formats that this library reads; 1 knew no temperature and no threshold, 2 no baselines, 3 no options
of the head among the hyperparameters."""

DESCRIPTION, VOCABULARY, GRAPH = "model.json", "vocabulary.json", "model.onnx"
STEP = "step.onnx"
NETWORK = "network"
"""What answers, where it is not a baseline."""
SEEN, MANIFEST, MEMBERS = "seen.npy", "manifest.json", "members"


class Scope(Section):
    """How a document that belongs to none of the classes is told."""

    label: str
    below: float
    """The probability of the likeliest class below which a document gets the label."""


class Description(Section):
    """What `model.json` says."""

    format: int = FORMAT
    system: str = NETWORK
    """What answers: networks, or the baseline of that name (see `lslm.serving.kept`)."""
    lslm: str
    """Version of the library that wrote it."""
    name: str
    head: HeadSettings
    targets: dict[str, Any]
    """What the head fitted, such as the label set."""
    text: TextSettings
    cleaning: CleaningSettings
    hyperparameters: Hyperparameters
    temperature: float = 1.0
    """What the graph's outputs are scaled by (see `lslm.statistics.calibration.scale`)."""
    abstain_below: float | None = None
    """The probability of the likeliest class below which the model does not answer; None: never."""
    out_of_scope: Scope | None = None
    """None where every document gets a class, or out of scope is a class of its own."""


class ModelFolder:
    """An existing model folder; each read is checked against the manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        manifest = folder / MANIFEST
        if not manifest.is_file():
            raise InputError(
                "not a model folder", where=str(folder), right=f"a folder with {MANIFEST}"
            )
        self._digests: dict[str, str] = json.loads(manifest.read_bytes())

    @property
    def names(self) -> tuple[str, ...]:
        """The files that the manifest names."""
        return tuple(self._digests)

    def read(self, name: str) -> bytes:
        """A file's content; InputError if it is not what the manifest says."""
        path = self.folder / name
        content = path.read_bytes() if path.is_file() else None
        if content is None or hashlib.sha256(content).hexdigest() != self._digests.get(name):
            raise InputError(
                "the file is missing" if content is None else "the file was changed",
                where=str(path),
                right=f"the SHA-256 that {MANIFEST} names: {self._digests.get(name)}",
            )
        return content

    def description(self) -> Description:
        """What the model is; InputError for a format that this library does not read."""
        values = json.loads(self.read(DESCRIPTION))
        where = str(self.folder / DESCRIPTION)
        if values.get("format") not in READABLE:
            readable = ", ".join(map(str, READABLE))
            raise InputError(
                f"model format {values.get('format')!r} is not known",
                where=where,
                right=f"one of the formats this version of lslm reads: {readable}",
            )
        try:
            return Description.model_validate(values)
        except ValidationError as error:
            raise _unread(error, str(values.get("lslm")), where) from None

    def vocabulary(self) -> Vocabulary:
        """The words that the networks know."""
        return Vocabulary(json.loads(self.read(VOCABULARY)))

    def seen(self) -> NDArray[np.uint64]:
        """Sorted fingerprints of the documents it was trained on, `(n,)`."""
        return np.load(BytesIO(self.read(SEEN)), allow_pickle=False)


def _unread(error: ValidationError, writer: str, where: str) -> InputError:
    """Why a description is refused: by whom it was written, where it has settings that this library lacks."""
    new = [
        ".".join(map(str, each["loc"]))
        for each in error.errors()
        if each["type"] == "extra_forbidden"
    ]
    if not new:
        return InputError(str(error), where=where)
    return InputError(
        f"written by lslm {writer}; this one ({lslm.__version__}) does not know: {', '.join(new)}",
        where=where,
        right="the version that wrote it, or a newer one",
    )


def calibrate(folder: Path, into: Path, temperature: float, abstain_below: float | None) -> None:
    """Copy a model folder, its networks as they are, with what makes its probabilities honest."""
    describe(folder, into, {"temperature": temperature, "abstain_below": abstain_below})


def describe(folder: Path, into: Path, changes: dict[str, Any]) -> None:
    """Copy a model folder, its networks as they are, with changes of the description."""
    description = ModelFolder(folder).description().model_copy(update={"format": FORMAT, **changes})
    shutil.copytree(folder, into)
    (into / MANIFEST).unlink()
    (into / DESCRIPTION).write_text(description.model_dump_json(indent=1), encoding="utf-8")
    write_manifest(into)


def write_manifest(folder: Path) -> None:
    """Name every file in the folder, with its SHA-256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
    (folder / MANIFEST).write_text(json.dumps(digests, indent=1), encoding="utf-8")
