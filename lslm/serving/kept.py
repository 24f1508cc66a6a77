"""A baseline in a model folder: written without pickles, read back to answer like a network.

baseline.skops takes the place of model.onnx, vocabulary.json and the members.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import lslm
from lslm import heads
from lslm.errors import InputError
from lslm.heads.contract import Array
from lslm.serving import model_folder
from lslm.serving.model_folder import Description, ModelFolder

BASELINE = "baseline.skops"


def save(folder: Path, like: ModelFolder, system: str, pipeline: Any) -> None:
    """Write a model folder for the baseline `system`, otherwise like that of the network."""
    import skops.io

    folder.mkdir(parents=True)
    changes = {"format": model_folder.FORMAT, "system": system, "lslm": lslm.__version__}
    plain = {"temperature": 1.0, "abstain_below": None}
    description = like.description().model_copy(update=changes | plain)
    content = description.model_dump_json(indent=1)
    (folder / model_folder.DESCRIPTION).write_text(content, encoding="utf-8")
    (folder / model_folder.SEEN).write_bytes(like.read(model_folder.SEEN))
    skops.io.dump(pipeline, folder / BASELINE)
    model_folder.write_manifest(folder)


def _opened(files: ModelFolder) -> Any:
    """The pipeline; InputError for types that skops does not know to be data."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(files.read(BASELINE))
    except UntrustedTypesFoundException as error:
        raise InputError(
            f"holds types that are no data: {error}",
            where=str(files.folder / BASELINE),
            right="a baseline that lslm kept",
        ) from error


class KeptBaseline:
    """A loaded baseline."""

    def __init__(self, files: ModelFolder, description: Description) -> None:
        self._pipeline = _opened(files)
        self._description = description
        self._head = heads.get(description.head.kind)
        if description.system not in self._head.kept:
            raise InputError(
                f"the head {description.head.kind!r} keeps no baseline {description.system!r}",
                where=str(files.folder),
                right=f"one of: {', '.join(self._head.kept)}",
            )

    def outputs(self, texts: Sequence[str]) -> Array:
        """What it answers for cleaned texts, not yet calibrated, `(n, ...)`."""
        targets, kept = self._description.targets, self._head.kept[self._description.system]
        if not texts:
            return kept.ask(self._pipeline, [""], targets)[:0].astype(np.float32)
        return kept.ask(self._pipeline, texts, targets)
