import numpy as np

from lslm.heads.batching import TOKENS
from lslm.pretraining.windows import Windows, examples, windows


def test_every_token_but_the_first_is_predicted_once() -> None:
    document = np.arange(2, 25, dtype=np.int32)
    pieces = list(windows(document, 6))
    assert max(map(len, pieces)) == 6
    assert np.concatenate([piece[1:] for piece in pieces]).tolist() == document[1:].tolist()


def test_the_backward_direction_reads_each_document_from_its_end() -> None:
    found = examples([np.array([2, 3, 4], np.int32), np.array([5, 6], np.int32)], 80, "backward")
    assert found.flat.tolist() == [4, 3, 2, 6, 5]
    assert found.offsets.tolist() == [0, 3, 5]


def test_a_document_of_one_token_teaches_nothing() -> None:
    assert len(examples([np.array([2], np.int32)], 80, "forward")) == 0


def test_padding_is_not_predicted() -> None:
    targets = Windows().targets(np.zeros(1), {TOKENS: np.array([[4, 7, 0, 0]])})
    assert targets.tolist() == [[1, 0, 0]]
