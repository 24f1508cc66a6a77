from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lslm import heads
from lslm.errors import InputError
from lslm.pretraining import learning
from lslm.pretraining.outside import Outside, words_of
from lslm.pretraining.weights import PART_FILE, Reader, load_part
from lslm.pretraining.windows import examples
from lslm.settings import Hyperparameters
from lslm.text.store import Tokens
from lslm.training import fitted
from lslm.training.epochs import Epoch
from lslm.training.fitting import build
from lslm.training.parts import Part
from tests.pretraining.conftest import ENCODER, N_WORDS, SETTINGS, SHAPE, made


def weights(folder: Path) -> list[np.ndarray]:
    """What the first recurrent layer of a part begins with."""
    found = load_part(folder)
    assert found is not None
    return found


def of_outside(toy: Path, into: Path, **given: object) -> list[float]:
    return learning.of_outside(
        toy / "tokens", toy / "vectors", N_WORDS, SHAPE, "backward", SETTINGS, into, **given
    )


def test_it_begins_with_how_frequent_words_are_and_learns_what_comes_next(read: Path, toy: Path):
    store, known = Tokens(toy / "tokens"), words_of(toy / "vectors", N_WORDS)
    ids = known.vocabulary.encode(store.types)
    windows = examples([ids[store.document(row)] for row in range(60)], SETTINGS.window, "forward")
    shares = np.bincount(windows.flat) / len(windows.flat)
    entropy = -np.sum(shares[shares > 0] * np.log(shares[shares > 0]))
    for losses in Outside.load(read).report().values():
        assert losses[1] < losses[0] < entropy + 0.1


def test_both_directions_have_learned_something_of_their_own(read: Path) -> None:
    forward, backward = (Outside.load(read).reader(name) for name in SHAPE.directions)
    assert not np.allclose(forward.recurrent[0], backward.recurrent[0])
    assert forward.projection.any()


def test_a_part_goes_on_from_the_outside_text(toy: Path, read: Path, tmp_path: Path) -> None:
    still = weights(made(toy, tmp_path / "still", read, adapt_epochs=0))
    known = Outside.load(read)
    learned = [each for name in SHAPE.directions for each in known.reader(name).recurrent]
    for found, wanted in zip(still, learned, strict=True):
        np.testing.assert_array_equal(found, wanted)
    moved = weights(made(toy, tmp_path / "moved", read))
    assert not np.array_equal(moved[0], still[0])


def test_without_outside_text_a_part_begins_from_nothing(toy: Path, tmp_path: Path) -> None:
    part = Part(made(toy, tmp_path / "part", None))
    assert len(part.report["language_model"]["losses"]["forward"]) == SETTINGS.epochs


@pytest.mark.slow
def test_it_is_the_same_bits_again(toy: Path, read: Path, part: Path, tmp_path: Path) -> None:
    again = made(toy, tmp_path / "again", read)
    assert (again / PART_FILE).read_bytes() == (part / PART_FILE).read_bytes()


def test_it_reads_the_training_rows_alone(part: Path) -> None:
    seen = fitted.load(part)
    assert seen["language model"].tolist() == list(range(50))


def test_the_first_recurrent_layer_begins_with_the_weights(part: Path) -> None:
    chosen = Hyperparameters(encoder=ENCODER.model_copy(update={"layers": 2}))
    network = build(Part(part), heads.get("classify"), chosen, seed=0)
    first = network.get_layer("recurrent_0").get_weights()
    for found, wanted in zip(first, weights(part), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_network_of_another_shape_is_refused(part: Path) -> None:
    chosen = Hyperparameters().replaced({"encoder.units": 7})
    with pytest.raises(InputError, match=r"lstm, 7 units.* the pretrained one is lstm, 6 units"):
        build(Part(part), heads.get("classify"), chosen, seed=0)


def test_it_goes_on_from_its_last_epoch_as_if_nothing_had_happened(
    toy: Path, read: Path, tmp_path: Path
) -> None:
    class PowerCut(Exception):
        pass

    def cut(epoch: Epoch) -> bool:
        raise PowerCut

    state = tmp_path / "checkpoints" / "state.npz"
    with pytest.raises(PowerCut):
        of_outside(toy, tmp_path / "found.npz", checkpoint=state, on_event=cut)
    of_outside(toy, tmp_path / "found.npz", checkpoint=state)
    found, undisturbed = Reader.load(tmp_path / "found.npz"), Outside.load(read).reader("backward")
    np.testing.assert_array_equal(found.projection, undisturbed.projection)
    np.testing.assert_array_equal(found.recurrent[1], undisturbed.recurrent[1])


def test_a_part_goes_on_from_the_last_epoch_of_either_direction(toy: Path, tmp_path: Path) -> None:
    class PowerCut(Exception):
        pass

    def after(n: int) -> Callable[[Epoch], bool]:
        def heard(epoch: Epoch) -> bool:
            told.append(epoch.number)
            if len(told) == n:
                raise PowerCut
            return True

        told: list[int] = []
        return heard

    state, into = tmp_path / "checkpoints" / "state.npz", tmp_path / "part"
    # Two epochs each: it is cut off in the second direction, then told of those that were done, and cut off again.
    for n in (3, 3):
        with pytest.raises(PowerCut):
            made(toy, into, None, checkpoint=state, on_event=after(n))
    made(toy, into, None, checkpoint=state)
    undisturbed = made(toy, tmp_path / "undisturbed", None)
    assert (into / PART_FILE).read_bytes() == (undisturbed / PART_FILE).read_bytes()
    assert {path.name for path in state.parent.iterdir()} == {
        f"state-{direction}.npz" for direction in SHAPE.directions
    }


def test_text_without_two_tokens_in_a_document_is_refused() -> None:
    nothing = examples([np.array([3], np.int32)], 6, "forward")
    with pytest.raises(InputError, match="no document has two tokens"):
        learning.learn(nothing, np.zeros((5, 8), np.float32), SHAPE, SETTINGS, 1, None)
