import keras
import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.encoder.encoder import Encoder
from lslm.errors import InputError
from lslm.heads.seeds import layer_seeds
from lslm.settings import Hyperparameters

HEAD = heads.get("classify")
TRUTH = np.array([1, 2])
OUTPUTS = np.array([[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]])


def loss(smoothing: float) -> keras.losses.Loss:
    return HEAD.loss(Hyperparameters().replaced({"training.label_smoothing": smoothing}))


def test_the_loss_is_that_of_the_keras_documentation() -> None:
    assert float(loss(0.0)(TRUTH, OUTPUTS)) == pytest.approx(1.177, abs=1e-3)


def test_smoothing_spreads_its_share_over_all_labels() -> None:
    expected = keras.losses.CategoricalCrossentropy(label_smoothing=0.3)(np.eye(3)[TRUTH], OUTPUTS)
    assert float(loss(0.3)(TRUTH, OUTPUTS)) == pytest.approx(float(expected), rel=1e-6)


def test_the_loss_survives_saving_with_its_smoothing() -> None:
    kept = keras.saving.serialize_keras_object(loss(0.3))
    loaded = keras.saving.deserialize_keras_object(kept)
    assert float(loaded(TRUTH, OUTPUTS)) == float(loss(0.3)(TRUTH, OUTPUTS))


def test_log_loss_of_an_impossible_label_is_finite() -> None:
    assert HEAD.metrics["log_loss"](np.array([2]), OUTPUTS[:1]) == pytest.approx(-np.log(1e-7))


def test_details_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_fscore_support

    rng = np.random.default_rng(0)
    truth, outputs = rng.integers(0, 3, 100), rng.random((100, 3))
    rows = HEAD.details(truth, outputs, {"labels": ["a", "b", "c"]})
    found = [[row[name] for row in rows] for name in ("precision", "recall", "f1", "support")]
    assert np.allclose(found, precision_recall_fscore_support(truth, outputs.argmax(axis=1)))


def test_missing_labels_are_refused() -> None:
    documents = pl.DataFrame({"text": ["x", "y", "z"], "label": ["a", None, "b"]})
    with pytest.raises(InputError, match="1 of 3 documents have no label"):
        HEAD.fit_targets(documents, HEAD.options())


def test_layers_and_owners_draw_from_different_seeds() -> None:
    seeds = [
        *layer_seeds(0, "classify", 4),
        *layer_seeds(1, "classify", 4),
        *layer_seeds(0, "b", 4),
    ]
    assert len(set(seeds)) == 12
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_linear_model_that_no_graph_can_hold_is_refused_before_anything_learns() -> None:
    beside = Hyperparameters(head={"linear": 0.5, "linear_buckets": 2**22})
    encoder = Encoder(n_words=100, size=4, vectors=None, settings=beside.encoder, seed=0)
    labels = {"labels": [str(number) for number in range(77)]}
    with pytest.raises(InputError, match=r"4194404 rows and 77 labels.*at most 3486074"):
        HEAD.build(encoder, labels, beside)


def test_without_longer_ngrams_the_linear_model_has_a_row_a_word_alone() -> None:
    words = Hyperparameters(head={"linear": 0.5, "linear_order": 1})
    encoder = Encoder(n_words=100, size=4, vectors=None, settings=words.encoder, seed=0)
    network = HEAD.build(encoder, {"labels": ["a", "b"]}, words)
    assert network.get_layer("linear").table.shape == (100, 2)
