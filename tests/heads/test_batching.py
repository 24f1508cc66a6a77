"""Documents go in beside those of similar lengths, and no batch is much longer than what is in it."""

from collections.abc import Sequence

import numpy as np
import pytest

from lslm.heads.batching import of_similar_length


def together(lengths: Sequence[int], size: int, most: int | None = None) -> list[list[int]]:
    return [rows.tolist() for rows in of_similar_length(lengths, size, most)]


def test_documents_go_in_by_length_and_those_of_one_length_in_their_order() -> None:
    assert together([5, 1, 3], 2) == [[1, 2], [0]]
    assert together([2, 2, 1, 2], 2) == [[2, 0], [1, 3]]
    assert together([], 2) == []


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(None, [3, 3, 1]), (10**9, [3, 3, 1]), (100, [3, 3, 1]), (12, [3, 2, 1, 1]), (1, [1] * 7)],
)
def test_a_batch_is_closed_before_it_is_too_large(most: int | None, sizes: list[int]) -> None:
    """Sorted, the lengths are 1, 2, 2, 4, 5, 6, 50."""
    lengths = [50, 2, 6, 1, 4, 2, 5]
    found = together(lengths, 3, most)
    assert [len(rows) for rows in found] == sizes
    assert [row for rows in found for row in rows] == np.argsort(lengths, kind="stable").tolist()
    for rows in found:
        assert len(rows) == 1 or most is None or len(rows) * lengths[rows[-1]] <= most
