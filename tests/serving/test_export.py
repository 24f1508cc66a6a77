from itertools import product
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from lslm.encoder.precision import Precision, computing_in
from lslm.serving.export import to_onnx
from lslm.settings import Hyperparameters
from tests.serving.networks import HYPERPARAMETERS, SHAKEN, VECTORS, network

POOLINGS = ("attention", "max", "last", "attention+max")
TOKENS = np.array(
    [[2, 3, 4, 5, 6, 1, 2, 3, 4], [5, 1, 6, 3, 0, 0, 0, 0, 0], [4] + [0] * 8, [0] * 9], np.int32
)


def run(path: Path, tokens: np.ndarray) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"tokens": tokens}), strict=True))


@pytest.mark.parametrize(
    ("cell", "layers", "bidirectional", "pooling"),
    list(product(("lstm", "gru"), (1, 2), (True, False), POOLINGS)),
)
def test_the_graph_answers_as_keras_does(
    cell: str, layers: int, bidirectional: bool, pooling: str, tmp_path: Path
) -> None:
    changes = {
        "cell": cell,
        "layers": layers,
        "bidirectional": bidirectional,
        "pooling": pooling,
    }
    encoder = SHAKEN.model_copy(update=changes)
    model = network(Hyperparameters(encoder=encoder))
    to_onnx([model], tmp_path / "model.onnx")
    answers = run(tmp_path / "model.onnx", TOKENS)
    np.testing.assert_allclose(answers["outputs"], np.asarray(model(TOKENS)), atol=1e-5)
    assert ("attention" in answers) == pooling.startswith("attention")


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_a_network_of_mixed_precision_is_served_in_float32(
    precision: Precision, tmp_path: Path
) -> None:
    with computing_in(precision):
        mixed = network(HYPERPARAMETERS)
    to_onnx([mixed], tmp_path / "model.onnx")
    answers = run(tmp_path / "model.onnx", TOKENS)["outputs"]
    assert answers.dtype == np.float32
    # The weights are the same, so the graph is as exact as a network of float32.
    np.testing.assert_allclose(answers, np.asarray(network(HYPERPARAMETERS)(TOKENS)), atol=1e-5)
    np.testing.assert_allclose(answers, np.asarray(mixed(TOKENS)), atol=0.03)


@pytest.mark.parametrize("order", [2, 3])
def test_hashed_ngrams_answer_as_keras_does(order: int, tmp_path: Path) -> None:
    wide = {"ngrams": order, "ngram_buckets": 32_768, "ngram_units": 3}
    model = network(Hyperparameters(encoder=SHAKEN.model_copy(update=wide)))
    to_onnx([model], tmp_path / "model.onnx")
    answers = run(tmp_path / "model.onnx", TOKENS)
    np.testing.assert_allclose(answers["outputs"], np.asarray(model(TOKENS)), atol=1e-5)


@pytest.mark.parametrize(
    ("order", "stored", "off"), [(1, "float32", 1e-5), (3, "float32", 1e-5), (3, "float16", 1e-3)]
)
def test_a_linear_model_beside_the_network_answers_as_keras_does(
    order: int, stored: str, off: float, tmp_path: Path
) -> None:
    beside = {"linear": 0.6, "linear_order": order, "linear_buckets": 2**20}
    model = network(HYPERPARAMETERS.model_copy(update={"head": beside}))
    layer, rng = model.get_layer("linear"), np.random.default_rng(0)
    layer.set_weights([rng.normal(size=each.shape) for each in layer.get_weights()])
    to_onnx([model], tmp_path / "model.onnx", stored)
    answers = run(tmp_path / "model.onnx", TOKENS)
    np.testing.assert_allclose(answers["outputs"], np.asarray(model(TOKENS)), atol=off)


def test_members_are_averaged_and_share_the_frozen_table(tmp_path: Path) -> None:
    members = [network(HYPERPARAMETERS, seed) for seed in range(3)]
    to_onnx(members, tmp_path / "model.onnx")
    expected = np.mean([np.asarray(member(TOKENS)) for member in members], axis=0)
    np.testing.assert_allclose(run(tmp_path / "model.onnx", TOKENS)["outputs"], expected, atol=1e-6)
    constants = onnx.load(tmp_path / "model.onnx").graph.initializer
    assert sum(list(constant.dims) == list(VECTORS.shape) for constant in constants) == 1


def test_attention_sums_to_one_over_tokens_and_to_zero_without_any(tmp_path: Path) -> None:
    to_onnx([network(HYPERPARAMETERS)], tmp_path / "model.onnx")
    attention = run(tmp_path / "model.onnx", TOKENS)["attention"]
    np.testing.assert_allclose(attention.sum(axis=1), [1, 1, 1, 0], atol=1e-6)
    assert (attention[TOKENS == 0] == 0).all()


def test_a_head_of_standard_layers_needs_no_converter_of_its_own(tmp_path: Path) -> None:
    encoded = network(HYPERPARAMETERS)
    tokens, states = encoded.inputs[0], encoded.get_layer("recurrent_0").output
    wide = keras.layers.Dense(4, activation="relu")(states)
    normal = keras.layers.LayerNormalization()(wide)
    both = keras.layers.Concatenate()([keras.layers.Add()([wide, normal]), states])
    outputs = keras.layers.Activation("sigmoid")(keras.layers.Dense(2)(both))
    model = keras.Model(tokens, outputs)
    to_onnx([model], tmp_path / "model.onnx")
    np.testing.assert_allclose(
        run(tmp_path / "model.onnx", TOKENS)["outputs"], np.asarray(model(TOKENS)), atol=1e-5
    )


def test_an_unknown_layer_is_named(tmp_path: Path) -> None:
    model = network(HYPERPARAMETERS)
    odd = keras.layers.UnitNormalization(name="odd")(model.output)
    with pytest.raises(NotImplementedError, match="'odd' of type .*UnitNormalization"):
        to_onnx([keras.Model(model.inputs, odd)], tmp_path / "model.onnx")


def small(stored: str, n_members: int, folder: Path) -> tuple[Path, np.ndarray]:
    """A graph whose arrays are large enough to be rounded, and what its networks answer."""
    encoder = SHAKEN.model_copy(update={"units": 32, "tuned_words": 3, "stored": stored})
    members = [network(Hyperparameters(encoder=encoder), seed) for seed in range(n_members)]
    for member in members:
        # Weights of a trained network's size, so that what is rounded off does not end in saturation.
        for weight in member.trainable_weights:
            weight.assign(weight * 0.2)
    to_onnx(members, folder / f"{stored}.onnx", stored)
    answers = np.mean([np.asarray(member(TOKENS)) for member in members], axis=0)
    return folder / f"{stored}.onnx", answers


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize(("stored", "off", "share"), [("float16", 1e-3, 0.6), ("int8", 1e-2, 0.55)])
def test_rounded_weights_take_less_room_and_answer_nearly_the_same(
    stored: str, off: float, share: float, n_members: int, tmp_path: Path
) -> None:
    plain, answers = small("float32", n_members, tmp_path)
    rounded, _ = small(stored, n_members, tmp_path)
    got = run(rounded, TOKENS)["outputs"]
    np.testing.assert_allclose(got, answers, atol=off)
    assert not np.array_equal(got, run(plain, TOKENS)["outputs"])
    assert rounded.stat().st_size < share * plain.stat().st_size
