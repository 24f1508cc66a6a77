from pathlib import Path

import numpy as np
import pytest

from lslm.encoder.layers import Recurrent
from lslm.pretraining import learning
from lslm.pretraining.recipe import Shape
from lslm.pretraining.weights import Reader, load_part, save_part
from lslm.pretraining.windows import examples
from lslm.settings import EncoderSettings, PretrainingSettings


def reader(n_words: int) -> Reader:
    """One that is like no other."""
    draw = np.random.default_rng(n_words)
    arrays = [draw.normal(size=shape).astype(np.float32) for shape in ((4, 12), (3, 12), (12,))]
    projection = draw.normal(size=(3, 4)).astype(np.float32)
    return Reader(tuple(arrays), projection, draw.normal(size=n_words).astype(np.float32))


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    kept = reader(5)
    kept.save(tmp_path / "forward.npz")
    found = Reader.load(tmp_path / "forward.npz")
    np.testing.assert_array_equal(found.frequencies, kept.frequencies)
    np.testing.assert_array_equal(found.projection, kept.projection)
    for one, other in zip(found.recurrent, kept.recurrent, strict=True):
        np.testing.assert_array_equal(one, other)


def test_known_words_keep_their_frequency_and_new_ones_begin_with_their_own() -> None:
    kept = reader(3)
    begun = np.array([-1, -2, -3, -4], np.float32)
    other = kept.knowing(["<pad>", "<unk>", "new", "old"], ["<pad>", "<unk>", "old"], begun)
    expected = [*kept.frequencies[:2], -3, kept.frequencies[2]]
    np.testing.assert_array_equal(other.frequencies, np.array(expected, np.float32))


def test_a_part_without_a_language_model_has_no_weights(tmp_path: Path) -> None:
    assert load_part(tmp_path) is None


@pytest.mark.parametrize("cell", ["lstm", pytest.param("gru", marks=pytest.mark.slow)])
def test_the_layer_of_the_encoder_says_what_both_language_models_would(
    tmp_path: Path, cell: str
) -> None:
    """Its forward half is the forward model's layer; its backward half the other's, on documents reversed."""
    draw = np.random.default_rng(0)
    documents = [draw.integers(2, 9, size=n).astype(np.int32) for n in (7, 4)]
    vectors = draw.normal(size=(9, 4)).astype(np.float32)
    shape = Shape.of(EncoderSettings(units=3, cell=cell))
    settings = PretrainingSettings(sampled_words=0)
    readers = {
        name: learning.learn(examples(documents, 80, name), vectors, shape, settings, 1, None)[0]
        for name in shape.directions
    }
    save_part(tmp_path, readers)
    whole = Recurrent(3, cell, bidirectional=True)
    ids = np.zeros((2, 7), np.int32)
    for row, document in enumerate(documents):
        ids[row, : len(document)] = document
    states, mask = vectors[ids], ids != 0
    whole([states, mask])
    found = load_part(tmp_path)
    assert found is not None
    whole.set_weights(found)
    outputs = np.asarray(whole([states, mask]))
    for row, document in enumerate(documents):
        for half, name in enumerate(shape.directions):
            alone = Recurrent(3, cell, bidirectional=False)
            given = vectors[document[:: 1 if name == "forward" else -1]][None]
            alone([given, np.ones(given.shape[:2], bool)])
            alone.set_weights(readers[name].recurrent)
            said = np.asarray(alone([given, np.ones(given.shape[:2], bool)]))[0]
            said = said if name == "forward" else said[::-1]
            there = outputs[row, : len(document), 3 * half : 3 * half + 3]
            np.testing.assert_allclose(there, said, atol=1e-6)
