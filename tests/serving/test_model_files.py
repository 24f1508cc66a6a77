import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest

import lslm
from lslm.errors import InputError
from lslm.serving.model_files import load_description, load_members
from lslm.serving.model_folder import ModelFolder, calibrate, write_manifest
from lslm.serving.predictor import Predictor
from tests.serving.networks import HYPERPARAMETERS, TARGETS, WORDS, network, write_members

TOKENS = np.array([[2, 3, 4, 0], [5, 6, 0, 0]], np.int32)


def test_members_come_back_the_same(folder: Path, members: Sequence[keras.Model]) -> None:
    loaded = load_members(folder)
    for old, new in zip(members, loaded, strict=True):
        np.testing.assert_array_equal(old.predict_on_batch(TOKENS), new.predict_on_batch(TOKENS))


def test_no_time_of_saving_is_in_the_files(folder: Path) -> None:
    with zipfile.ZipFile(folder / "members" / "0.keras") as archive:
        assert json.loads(archive.read("metadata.json"))["date_saved"] == "1980-01-01@00:00:00"
        assert {each.date_time[0] for each in archive.infolist()} == {1980}


def test_the_description_keeps_settings_that_are_not_defaults(folder: Path) -> None:
    description = load_description(folder)
    assert description.hyperparameters == HYPERPARAMETERS
    assert description.targets == TARGETS
    assert not description.text.lowercase
    assert not description.cleaning.html
    files = ModelFolder(folder)
    assert files.vocabulary().words == WORDS.words
    assert files.seen().tolist() == [3, 7, 2**64 - 1]


def test_a_calibrated_copy_keeps_everything_else(folder: Path, tmp_path: Path) -> None:
    calibrate(folder, tmp_path / "copy", temperature=1.5, abstain_below=0.625)
    description = load_description(tmp_path / "copy")
    assert (description.temperature, description.abstain_below) == (1.5, 0.625)
    plain = {"temperature": 1.0, "abstain_below": None}
    assert description.model_copy(update=plain) == load_description(folder)
    old, new = ModelFolder(folder), ModelFolder(tmp_path / "copy")
    assert old.names == new.names
    for name in new.names:
        assert name == "model.json" or new.read(name) == old.read(name)


def test_a_folder_from_before_calibration_is_not_scaled(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    values = json.loads((copy / "model.json").read_text("utf-8"))
    del values["temperature"], values["abstain_below"]
    (copy / "model.json").write_text(json.dumps(values | {"format": 1}), "utf-8")
    (copy / "manifest.json").unlink()
    write_manifest(copy)
    description = load_description(copy)
    assert (description.temperature, description.abstain_below) == (1.0, None)


def test_nothing_in_the_folder_is_a_pickle(folder: Path) -> None:
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".onnx", ".keras", ".npy"}


def test_a_folder_without_networks_answers_and_says_that_they_are_not_there(tmp_path: Path) -> None:
    write_members(tmp_path / "model", [network(HYPERPARAMETERS)], networks=False)
    assert not (tmp_path / "model" / "members").exists()
    assert Predictor.load(tmp_path / "model").outputs(["a good film"]).shape == (1, 2)
    with pytest.raises(InputError, match="holds no networks.*registry.networks"):
        load_members(tmp_path / "model")


def test_optimizer_state_stays_out(tmp_path: Path) -> None:
    model = network(HYPERPARAMETERS)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.train_on_batch(TOKENS, np.array([0, 1]))
    write_members(tmp_path / "model", [model])
    plain = network(HYPERPARAMETERS)
    plain.save(tmp_path / "plain.keras")
    ours = (tmp_path / "model" / "members" / "0.keras").stat().st_size
    assert ours == pytest.approx((tmp_path / "plain.keras").stat().st_size, rel=0.05)


@pytest.mark.parametrize("name", ["model.json", "vocabulary.json", "seen.npy", "model.onnx"])
def test_a_changed_file_is_refused(name: str, folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    with pytest.raises(InputError, match="was changed"):
        ModelFolder(copy).read(name)


def test_a_changed_member_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "members" / "0.keras").write_bytes(b"something else")
    with pytest.raises(InputError, match="was changed"):
        load_members(copy)


def test_a_file_that_the_manifest_does_not_name_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "members" / "9.keras").write_bytes(b"")
    with pytest.raises(InputError, match="was changed"):
        ModelFolder(copy).read("members/9.keras")


def described(copy: Path, changes: dict[str, object]) -> None:
    """Change the description of a copy, as another library would have written it."""
    values = json.loads((copy / "model.json").read_text("utf-8"))
    (copy / "model.json").write_text(json.dumps(values | changes), "utf-8")
    (copy / "manifest.json").unlink()
    write_manifest(copy)


def test_a_setting_from_the_future_names_the_version_that_wrote_it(
    folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    text = load_description(folder).text.model_dump() | {"stemmed": True}
    described(copy, {"text": text, "lslm": "99.1", "drift": 0.5})
    with pytest.raises(InputError) as refused:
        load_description(copy)
    assert str(refused.value) == (
        f"{copy / 'model.json'}: written by lslm 99.1; this one ({lslm.__version__}) does not know: "
        "text.stemmed, drift; expected the version that wrote it, or a newer one"
    )


def test_a_setting_that_is_wrong_is_told_as_ever(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    described(copy, {"temperature": "warm"})
    with pytest.raises(InputError, match="temperature\n.*valid number"):
        load_description(copy)


def test_a_format_from_the_future_says_what_is_readable(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    described(copy, {"format": 99})
    with pytest.raises(InputError, match="model format 99 is not known.* reads: 1, 2"):
        load_description(copy)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a model folder"):
        load_description(tmp_path)


RECORD = """
from dataclasses import replace
from lslm.heads.classify import HEAD as CLASSIFY

HEAD = replace(CLASSIFY, name="toy", layers=("toy_layers",))
"""
LAYERS = """
import keras

@keras.saving.register_keras_serializable(package="toy")
class Twice(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs
"""
READING = """
import sys
from pathlib import Path
from lslm.serving.model_files import load_members

(member,) = load_members(Path(sys.argv[1]))
print(type(member.layers[-1]).__name__)
"""


def test_layers_of_a_plug_in_are_known_in_a_process_that_builds_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugged = tmp_path / "toy-1.dist-info"
    plugged.mkdir()
    (plugged / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
    (plugged / "entry_points.txt").write_text("[lslm.heads]\ntoy = toy_head:HEAD\n")
    (tmp_path / "toy_head.py").write_text(RECORD)
    (tmp_path / "toy_layers.py").write_text(LAYERS)
    monkeypatch.syspath_prepend(tmp_path)
    inputs = keras.Input((1,))
    network = keras.Model(inputs, import_module("toy_layers").Twice()(inputs))
    copy = shutil.copytree(folder, tmp_path / "model")
    shutil.rmtree(copy / "members")
    (copy / "members").mkdir()
    network.save(copy / "members" / "0.keras")
    described(copy, {"head": {"kind": "toy"}})
    done = subprocess.run(
        [sys.executable, "-c", READING, str(copy)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "Twice"
