import tracemalloc

import numpy as np
import pytest

from lslm.heads.batching import TOKENS
from lslm.pretraining.windows import Windows, examples, in_windows, windows


def test_every_token_but_the_first_is_predicted_once() -> None:
    document = np.arange(2, 25, dtype=np.int32)
    pieces = list(windows(document, 6))
    assert max(map(len, pieces)) == 6
    assert np.concatenate([piece[1:] for piece in pieces]).tolist() == document[1:].tolist()


def test_the_backward_direction_reads_each_document_from_its_end() -> None:
    found = examples([np.array([2, 3, 4], np.int32), np.array([5, 6], np.int32)], 80, "backward")
    assert found.flat.tolist() == [4, 3, 2, 6, 5]
    assert found.offsets.tolist() == [0, 3, 5]


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("longest", [2, 3, 7, 80])
def test_windows_of_all_documents_stand_one_behind_another(longest: int, step: int) -> None:
    documents = [np.arange(2, 2 + n, dtype=np.int32) for n in (5, 0, 1, 2, 80, 3, 81, 20)]
    expected = [piece.tolist() for each in documents for piece in windows(each[::step], longest)]
    found = examples(documents, longest, "forward" if step == 1 else "backward")
    assert [found.document(row, longest).tolist() for row in range(len(found))] == expected
    assert (found.flat.dtype, found.offsets.dtype) == (np.int32, np.int64)


def test_windows_take_about_four_bytes_a_token_while_they_are_made() -> None:
    n, length = 400_000, 100
    text = np.arange(n, dtype=np.int32)
    documents = (text[start : start + length] for start in range(0, n, length))
    tracemalloc.start()
    in_windows(documents, np.full(n // length, length), 21, "forward")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * n


def test_a_document_of_one_token_teaches_nothing() -> None:
    assert len(examples([np.array([2], np.int32)], 80, "forward")) == 0


def test_padding_is_not_predicted() -> None:
    targets = Windows().targets(np.zeros(1), {TOKENS: np.array([[4, 7, 0, 0]])})
    assert targets.tolist() == [[1, 0, 0]]
