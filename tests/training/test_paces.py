from pathlib import Path

import numpy as np
import pytest

from lslm import heads
from lslm.encoder.encoder import FIRST, WORDS
from lslm.settings import Hyperparameters
from lslm.training import paces
from lslm.training.epochs import Epoch
from lslm.training.fitting import build, fit
from lslm.training.parts import Part
from tests.pretraining.conftest import ENCODER, part, read, toy

__all__ = ["part", "read", "toy"]

CHOSEN = Hyperparameters(encoder=ENCODER).replaced(
    {
        "training.epochs": 3,
        "training.batch_size": 8,
        "training.unfreeze_epochs": 1,
        "training.layer_decay": 0.5,
    }
)
N_BATCHES = 7


def test_new_layers_come_first_and_words_last(part: Path) -> None:
    network = build(Part(part), heads.get("classify"), CHOSEN, seed=0)
    told = paces.of(network, CHOSEN.training, N_BATCHES)
    names = [layer.name for layer in network.layers for _ in layer.trainable_variables]
    expected = {WORDS: (0.25, 14), FIRST: (0.5, 7)}
    assert told == [expected.get(name, (1.0, 0)) for name in names]


def test_alike_layers_have_no_paces(part: Path) -> None:
    alike = CHOSEN.replaced({"training.unfreeze_epochs": 0, "training.layer_decay": 1.0})
    network = build(Part(part), heads.get("classify"), alike, seed=0)
    assert paces.of(network, alike.training, N_BATCHES) == []


def kept(state: Path) -> list[np.ndarray]:
    """Arrays of a checkpoint, in order."""
    with np.load(state, allow_pickle=False) as found:
        return [found[f"{number}"] for number in range(len(found.files) - 1)]


@pytest.mark.slow
def test_what_is_frozen_does_not_move_and_a_fit_goes_on_bit_for_bit(
    part: Path, tmp_path: Path
) -> None:
    undisturbed = fit(part, "classify", CHOSEN, seed=3, stop_early=False)

    class PowerCut(Exception):
        pass

    states: list[list[np.ndarray]] = []
    state = tmp_path / "checkpoints" / "state.npz"

    def cut(epoch: Epoch) -> bool:
        states.append(kept(state))
        if epoch.number == 2:
            raise PowerCut
        return True

    with pytest.raises(PowerCut):
        fit(part, "classify", CHOSEN, seed=3, stop_early=False, checkpoint=state, on_event=cut)
    found = fit(part, "classify", CHOSEN, seed=3, stop_early=False, checkpoint=state)
    assert np.array_equal(found.outputs, undisturbed.outputs)

    network = build(Part(part), heads.get("classify"), CHOSEN, seed=3)
    before = [np.asarray(variable) for variable in network.trainable_variables]
    names = [layer.name for layer in network.layers for _ in layer.trainable_variables]

    def moved(name: str, after: list[np.ndarray]) -> bool:
        return any(
            not any(np.array_equal(each, other) for other in after)
            for each, own in zip(before, names, strict=True)
            if own == name
        )

    first, second = states
    assert (moved(WORDS, first), moved(FIRST, first)) == (False, False)
    assert moved("probabilities", first)
    assert (moved(WORDS, second), moved(FIRST, second)) == (False, True)
