"""One real SQLite store for all tests of tracking: its migrations take seconds."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lslm import heads
from lslm.serving import model_folder
from lslm.serving.model_folder import Description
from lslm.settings import (
    CleaningSettings,
    HeadSettings,
    Hyperparameters,
    SearchSettings,
    Settings,
    TextSettings,
)
from lslm.text.vocabulary import Vocabulary
from lslm.tracking import runs
from lslm.tracking.package import Candidate
from lslm.tracking.store import Store, connect, make_default
from lslm.workspace import Workspace

_NUMBERS = count()


@pytest.fixture(scope="session")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Store:
    workspace = Workspace(tmp_path_factory.mktemp("tracking")).create()
    return connect(Settings(name="any"), workspace)


@pytest.fixture
def store(connected: Store) -> Store:
    """The store, as the last one that was connected to: there MLflow looks for `models:/` addresses."""
    make_default(connected.uri)
    return connected


@pytest.fixture
def settings() -> Settings:
    """A pipeline of its own for each test, so that tests share the store but no experiment."""
    return Settings(name=f"toy-{next(_NUMBERS)}", search=SearchSettings(n_trials=3))


@pytest.fixture
def run_id(store: Store, settings: Settings) -> str:
    return runs.open_run(store, settings, digests={"corpus": "c0"}, name="first")


@pytest.fixture
def candidate(tmp_path: Path, run_id: str) -> Callable[..., Candidate]:
    """A candidate whose model says 'good' as far as a document holds the word 'fine'."""

    def make(weight: float = 2.0, seen: tuple[int, ...] = (), holdout: str = "h0") -> Candidate:
        folder = tmp_path / "-".join(map(str, ("model", weight, *seen)))
        if not folder.exists():
            write_model(folder, weight, seen)
        return Candidate(
            run_id=run_id,
            folder=folder,
            head=heads.get("classify"),
            card="# A toy",
            input_example=("a fine film", "a dull film"),
            report="r" * 64,
            data={"holdout": holdout},
            score="accuracy 0.9",
        )

    return make


def write_model(folder: Path, weight: float, seen: tuple[int, ...]) -> None:
    """A model folder made by hand: word scores, summed, through a softmax."""
    folder.mkdir()
    description = Description(
        lslm="0",
        name="toy",
        head=HeadSettings(),
        targets={"labels": ["bad", "good"]},
        text=TextSettings(),
        cleaning=CleaningSettings(),
        hyperparameters=Hyperparameters(),
    )
    (folder / model_folder.DESCRIPTION).write_text(description.model_dump_json())
    Vocabulary(("<pad>", "<unk>", "fine", "dull")).save(folder / model_folder.VOCABULARY)
    np.save(folder / model_folder.SEEN, np.array(sorted(seen), np.uint64))
    onnx.save(_sum_of_words(weight), folder / model_folder.GRAPH)
    model_folder.write_manifest(folder)


def _sum_of_words(weight: float) -> onnx.ModelProto:
    words = np.array([[0, 0], [0, 0], [0, weight], [weight, 0]], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "tokens"], ["scores"]),
            helper.make_node("ReduceSum", ["scores", "axis"], ["sums"], keepdims=0),
            helper.make_node("Softmax", ["sums"], ["outputs"]),
        ],
        "toy",
        [helper.make_tensor_value_info("tokens", TensorProto.INT32, ["batch", "time"])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["batch", 2])],
        [
            onnx.numpy_helper.from_array(words, "words"),
            onnx.numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
