"""Every token is read once an epoch, in rows that go on."""

import itertools

import numpy as np
import pytest

from lslm.heads.language_model.rows import Rows
from lslm.training.parts import Examples
from lslm.training.streams import Streams, in_rows, pieces

MARK = 2
LENGTHS = (5, 0, 12, 3, 7, 40)


def examples() -> Examples:
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    flat = np.arange(10, 10 + offsets[-1]).astype(np.int32)
    return Examples(flat, offsets, np.zeros((len(LENGTHS), 2), np.int64))


def streams(seed: int = 0, n_rows: int = 3) -> Streams:
    return Streams(examples(), Rows(), MARK, n_rows, 6, seed)


def test_documents_stand_between_marks_with_padding_before() -> None:
    rows = in_rows(examples(), np.array([3, 1, 0]), MARK, 1)
    d = [22 + 5, 22 + 6, 22 + 7]
    assert rows[0].tolist() == [0, MARK, *d, MARK, 0, MARK, MARK, 0, MARK, *range(10, 15), MARK]


@pytest.mark.parametrize("n_rows", [1, 3, 50])
def test_each_token_is_predicted_once_an_epoch(n_rows: int) -> None:
    fed = streams(n_rows=n_rows)
    n_wanted = sum(LENGTHS) + len(LENGTHS)
    cut = n_rows - 1  # Where a row ends, the next token is in another row.
    counted = sum(int(counts.sum()) for _, counts in (fed[i] for i in range(len(fed))))
    assert n_wanted - cut <= counted <= n_wanted


def test_a_batch_goes_on_with_the_token_that_the_last_one_ended_with() -> None:
    fed = streams()
    batches = [fed[i][0] for i in range(len(fed))]
    assert len(batches) > 2
    for before, after in itertools.pairwise(batches):
        assert np.array_equal(before[:, -1], after[:, 0])
    assert np.all(batches[0][:, 0] == 0)
    assert batches[0].shape[1] != batches[1].shape[1]


def test_the_same_seed_reads_in_the_same_order_and_another_epoch_in_another() -> None:
    one, other = streams(1), streams(1)
    assert np.array_equal(one.rows, other.rows)
    one.on_epoch_end()
    assert not np.array_equal(one.rows, other.rows)
    assert len(one) == len(other)


def test_pieces_cover_all_and_differ_in_length() -> None:
    bounds = pieces(7000, 70, np.random.default_rng(0))
    lengths = np.diff(bounds)
    assert (bounds[0], bounds[-1], len(lengths)) == (0, 7000, 100)
    assert lengths.min() >= 1
    assert len(set(lengths.tolist())) > 10
