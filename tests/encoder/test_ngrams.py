import numpy as np
import pytest

from lslm.encoder.ngrams import HashedNgrams

TOKENS = np.array([[4, 7, 4, 0], [7, 4, 7, 0], [0, 0, 0, 0]], np.int32)


def layer(order: int = 2) -> HashedNgrams:
    made = HashedNgrams(order, buckets=1009, units=3, seed=1)
    made.build(TOKENS.shape)
    return made


def test_a_bucket_is_told_by_the_words_and_their_order() -> None:
    (pairs,) = (np.asarray(ids) for ids in layer().hashed(TOKENS))
    assert pairs[0, 1] == pairs[1, 2] == (7 * 30_011 + 4) % 1009
    assert pairs[0, 2] == pairs[1, 1] == (4 * 30_011 + 7) % 1009
    assert pairs[0, 0] == (4 * 30_011) % 1009


def test_the_sum_is_divided_by_the_root_of_the_number_of_tokens() -> None:
    wide = layer(order=3)
    table, ids = np.asarray(wide.table), [np.asarray(each) for each in wide.hashed(TOKENS)]
    expected = sum(table[each[0, :3]].sum(axis=0) for each in ids) / np.sqrt(3)
    np.testing.assert_allclose(wide(TOKENS)[0], expected, atol=1e-6)


def test_padding_and_empty_documents_count_for_nothing() -> None:
    wide = layer(order=3)
    np.testing.assert_allclose(wide(TOKENS)[0], wide(TOKENS[:1, :3])[0], atol=1e-6)
    assert not np.asarray(wide(TOKENS))[2].any()


@pytest.mark.parametrize("order", [2, 5])
def test_ids_near_the_largest_stay_inside_the_table(order: int) -> None:
    wide = HashedNgrams(order, buckets=32_768, units=1)
    tokens = np.full((1, 9), np.iinfo(np.int32).max // 2, np.int32)
    for ids in wide.hashed(tokens):
        assert 0 <= np.asarray(ids).min() <= np.asarray(ids).max() < 32_768
