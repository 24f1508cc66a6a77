"""Writing a model folder, and reading its networks back. Needs Keras; `model_folder` does not."""

import json
import zipfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

import lslm
from lslm import heads
from lslm.errors import InputError
from lslm.heads.contract import Targets
from lslm.serving import model_folder
from lslm.serving.export import to_onnx
from lslm.serving.model_folder import Description, ModelFolder
from lslm.serving.stepping import to_step
from lslm.settings import CleaningSettings, HeadSettings, Hyperparameters, TextSettings
from lslm.text.vocabulary import Vocabulary

_METADATA, _NO_DATE = "metadata.json", "1980-01-01@00:00:00"


def save(  # noqa: PLR0913 (a folder is made of as many things)
    folder: Path,
    members: Sequence[keras.Model],
    vocabulary: Vocabulary,
    *,
    head: HeadSettings,
    targets: Targets,
    text: TextSettings,
    cleaning: CleaningSettings,
    hyperparameters: Hyperparameters,
    name: str,
    seen: NDArray[np.uint64],
    networks: bool = True,
) -> None:
    """Write a model folder; `seen` are the fingerprints of the documents it was trained on.

    Without `networks` the graph alone holds what was learned. Optimizers are left out in any case: they would
    triple what is trained.
    """
    folder.mkdir(parents=True)
    description = Description(
        lslm=lslm.__version__,
        name=name,
        head=head,
        targets=targets,
        text=text,
        cleaning=cleaning,
        hyperparameters=hyperparameters,
    )
    content = description.model_dump_json(indent=1)
    (folder / model_folder.DESCRIPTION).write_text(content, encoding="utf-8")
    vocabulary.save(folder / model_folder.VOCABULARY)
    np.save(folder / model_folder.SEEN, np.sort(np.asarray(seen, np.uint64)))
    if networks:
        _save_networks(folder, members)
    to_onnx(members, folder / model_folder.GRAPH, hyperparameters.encoder.stored)
    if heads.get(head.kind).writes:
        to_step(members, folder / model_folder.STEP, hyperparameters.encoder.stored)
    model_folder.write_manifest(folder)


def load_description(folder: Path) -> Description:
    """What a model folder says it is, checked; InputError for a changed file or unknown format."""
    return ModelFolder(folder).description()


def load_members(folder: Path) -> list[keras.Model]:
    """The networks of a model folder, without their optimizers; Keras runs no code of theirs.

    InputError where the folder was written without them.
    """
    files = ModelFolder(folder)
    count = sum(name.startswith(f"{model_folder.MEMBERS}/") for name in files.names)
    if not count:
        raise InputError(
            "the model folder holds no networks",
            where=str(folder),
            right="a model of a run with registry.networks: true",
        )
    kind = files.description().head.kind
    return [_load(files, _member(number), kind) for number in range(count)]


def load_network(path: Path, kind: str) -> Any:
    """A network of that head from its Keras archive, without an optimizer; Keras runs no code of the archive."""
    for module in heads.get(kind).layers:
        import_module(module)
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def _save_networks(folder: Path, members: Sequence[keras.Model]) -> None:
    (folder / model_folder.MEMBERS).mkdir()
    for number, member in enumerate(members):
        bare = keras.Model(member.input, member.output, name=member.name)
        bare.save(folder / _member(number))
        _undate(folder / _member(number))


def _undate(archive: Path) -> None:
    """Keras writes the time of saving into its archives; the same network should be the same file."""
    with zipfile.ZipFile(archive) as dated:
        contents = {name: dated.read(name) for name in sorted(dated.namelist())}
    about = json.loads(contents[_METADATA])
    contents[_METADATA] = json.dumps({**about, "date_saved": _NO_DATE}).encode()
    with zipfile.ZipFile(archive, "w") as undated:
        for name, content in contents.items():
            # Without a time given, an entry has the first that the format knows.
            undated.writestr(zipfile.ZipInfo(name), content)


def _load(files: ModelFolder, name: str, kind: str) -> Any:
    files.read(name)
    return load_network(files.folder / name, kind)


def _member(number: int) -> str:
    return f"{model_folder.MEMBERS}/{number}.keras"
