from pathlib import Path

import keras
import numpy as np
import pytest
from tensorflow.python.framework import ops as tensorflow_ops

from lslm import heads
from lslm.errors import InputError
from lslm.heads._losses import SmoothedCrossentropy
from lslm.heads.batching import Batching
from lslm.settings import Hyperparameters
from lslm.training import fitting
from lslm.training.batches import Batches
from lslm.training.epochs import Epoch
from lslm.training.fitting import answer, build, fit
from lslm.training.parts import Part

SMALL = Hyperparameters().replaced(
    {
        "encoder.units": 8,
        "encoder.bidirectional": False,
        "encoder.spatial_dropout": 0.0,
        "training.epochs": 6,
        "training.batch_size": 8,
        "training.learning_rate": 0.03,
    }
)


def test_a_network_learns_the_deciding_word(part: Path) -> None:
    fitted = fit(part, "classify", SMALL, seed=0, stop_early=False)
    assert fitted.outputs is not None
    truth = Part(part).validation.targets
    assert (fitted.outputs.argmax(axis=1) == truth).mean() == 1.0


def test_a_network_of_few_words_and_units_learns_and_is_saved_as_it_is(
    part: Path, tmp_path: Path
) -> None:
    small = SMALL.replaced({"encoder.max_words": 8, "encoder.vector_units": 4})
    fitted = fit(part, "classify", small, seed=0, stop_early=False, save=tmp_path / "0.keras")
    network = keras.saving.load_model(tmp_path / "0.keras", compile=False)
    assert network.get_layer("embedding").table.shape == (10, 4)
    seen = Part(part, small.encoder)
    again = answer(network, heads.get("classify"), seen.validation, -1, 400)
    np.testing.assert_allclose(again, fitted.outputs, atol=1e-6)


def test_what_could_not_be_served_is_refused_before_it_is_trained(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, head = Part(part), heads.get("classify")
    weights = build(opened, head, SMALL, 0).count_params()
    frozen = sum(np.size(each) for each in build(opened, head, SMALL, 0).non_trainable_weights)
    three = SMALL.replaced({"training.members": 3})
    monkeypatch.setattr(fitting, "_LARGEST", 4 * (3 * (weights - frozen) + frozen))
    build(opened, head, three, 0)
    with pytest.raises(InputError, match="larger than a served model can be") as refused:
        build(opened, head, three.replaced({"training.members": 4}), 0)
    assert refused.value.where == "training.members"
    build(opened, head, three.replaced({"training.members": 4, "encoder.stored": "float16"}), 0)


def test_a_linear_model_answers_beside_the_network_and_is_saved_with_it(
    part: Path, tmp_path: Path
) -> None:
    beside = SMALL.model_copy(update={"head": {"linear": 0.9, "linear_buckets": 97}})
    # Of a network that learns nothing the linear model's answers are left.
    idle = beside.replaced(
        {"training.learning_rate": 1e-9, "training.epochs": 1, "encoder.max_words": 8}
    )
    fitted = fit(part, "classify", idle, seed=0, stop_early=False, save=tmp_path / "0.keras")
    assert fitted.outputs is not None
    seen = Part(part, idle.encoder).validation
    assert (fitted.outputs.argmax(axis=1) == seen.targets).mean() == 1.0
    network = keras.saving.load_model(tmp_path / "0.keras", compile=False)
    again = answer(network, heads.get("classify"), seen, -1, 400)
    np.testing.assert_allclose(again, fitted.outputs, atol=1e-6)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(part: Path) -> None:
    first, second = (fit(part, "classify", SMALL, seed=3, stop_early=False) for _ in range(2))
    assert np.array_equal(first.outputs, second.outputs)


def test_the_listener_can_stop_it(part: Path) -> None:
    heard: list[Epoch] = []

    def listen(epoch: Epoch) -> bool:
        heard.append(epoch)
        return epoch.number < 2

    fit(part, "classify", SMALL, seed=0, stop_early=True, on_event=listen)
    assert [epoch.number for epoch in heard] == [1, 2]
    assert "accuracy" in heard[0].metrics


def test_a_fold_is_not_scored_before_its_end(part: Path) -> None:
    fitted = fit(part, "classify", SMALL, seed=0, stop_early=False)
    scored = ["accuracy" in epoch.metrics for epoch in fitted.epochs]
    assert scored == [False] * 5 + [True]


def test_batches_hold_every_document_once_padded_on_the_right(part: Path) -> None:
    examples = Part(part).training
    batches = Batches(examples, Batching(), -1, batch_size=8, max_tokens=400, seed=0)
    shown = np.concatenate(batches.batches)
    assert sorted(shown.tolist()) == list(range(50))
    ids, targets = batches[0]
    assert ids.shape[1] % 8 == 0
    assert len(ids) == len(targets)
    assert all((np.diff((line == 0).astype(int)) >= 0).all() for line in ids)


def test_the_first_two_batches_never_share_a_width(part: Path) -> None:
    batches = Batches(Part(part).training, Batching(), -1, batch_size=8, max_tokens=400, seed=0)
    assert batches[0][0].shape[1] != batches[1][0].shape[1]


@pytest.mark.parametrize(
    "precision", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_in_mixed_precision_a_network_learns_and_the_next_one_does_not_inherit_it(
    part: Path, tmp_path: Path, precision: str
) -> None:
    mixed = SMALL.replaced({"training.precision": precision})
    path = tmp_path / "network.keras"
    fitted = fit(part, "classify", mixed, seed=0, stop_early=False, save=path)
    assert fitted.outputs is not None
    assert fitted.outputs.dtype == np.float32
    assert fitted.outputs.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (fitted.outputs.argmax(axis=1) == Part(part).validation.targets).mean() == 1.0
    assert keras.config.dtype_policy().name == "float32"
    saved = keras.saving.load_model(path, compile=False)
    recurrent = saved.get_layer("recurrent_0")
    assert recurrent.compute_dtype == precision.removeprefix("mixed_")
    assert recurrent.forward.compute_dtype == recurrent.compute_dtype
    assert {weight.dtype for weight in saved.trainable_weights} == {"float32"}


def test_a_fit_traces_its_step_once_and_leaves_no_gradient_behind(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = 0
    call = SmoothedCrossentropy.call

    def counted(*given: keras.KerasTensor) -> keras.KerasTensor:
        nonlocal traced
        traced += 1
        return call(*given)

    monkeypatch.setattr(SmoothedCrossentropy, "call", counted)
    before = set(tensorflow_ops.gradient_registry.list())
    fit(part, "classify", SMALL.replaced({"training.epochs": 1}), seed=0, stop_early=False)
    assert traced == 1
    assert set(tensorflow_ops.gradient_registry.list()) == before


@pytest.mark.parametrize(
    ("n_done", "precision"),
    [
        (3, "float32"),
        pytest.param(1, "float32", marks=pytest.mark.slow),
        pytest.param(99, "float32", marks=pytest.mark.slow),
        pytest.param(2, "mixed_float16", marks=pytest.mark.slow),
    ],
)
def test_a_fit_goes_on_from_its_checkpoint_as_if_nothing_had_happened(
    part: Path, tmp_path: Path, n_done: int, precision: str
) -> None:
    chosen = SMALL.replaced(
        {
            "encoder.spatial_dropout": 0.3,
            "training.weight_decay": 0.01,
            "training.precision": precision,
        }
    ).model_copy(update={"head": {"linear": 0.4, "linear_buckets": 97}})
    undisturbed = fit(part, "classify", chosen, seed=3, stop_early=True)

    n_done = min(n_done, len(undisturbed.epochs))

    class PowerCut(Exception):
        pass

    def cut(epoch: Epoch) -> bool:
        if epoch.number == n_done:
            raise PowerCut
        return True

    state = tmp_path / "checkpoints" / "state.npz"
    with pytest.raises(PowerCut):
        fit(part, "classify", chosen, seed=3, stop_early=True, checkpoint=state, on_event=cut)
    heard: list[int] = []

    def listen(epoch: Epoch) -> bool:
        heard.append(epoch.number)
        return True

    found = fit(
        part, "classify", chosen, seed=3, stop_early=True, checkpoint=state, on_event=listen
    )
    assert [each.metrics for each in found.epochs] == [each.metrics for each in undisturbed.epochs]
    assert np.array_equal(found.outputs, undisturbed.outputs)
    assert heard == [each.number for each in undisturbed.epochs]
