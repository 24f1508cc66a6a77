import numpy as np

from lslm.embeddings.reduction import reduced

RANDOM = np.random.default_rng(0)


def test_vectors_of_a_plane_keep_their_distances_on_it() -> None:
    plane = RANDOM.normal(size=(50, 2)) @ np.linalg.qr(RANDOM.normal(size=(6, 6)))[0][:2]
    found = reduced(plane.astype(np.float32), 2)
    before, after = (np.linalg.norm(x[:, None] - x[None], axis=2) for x in (plane, found))
    ratio = after[before > 0] / before[before > 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


def test_the_first_axis_is_the_longest_and_the_whole_of_unit_size() -> None:
    vectors = RANDOM.normal(size=(200, 5)) * [1, 9, 1, 3, 1]
    found = reduced(vectors.astype(np.float32), 2)
    assert found.shape == (200, 2)
    assert found[:, 0].std() > found[:, 1].std()
    np.testing.assert_allclose(found.std(), 1, rtol=1e-5)
    assert abs(np.corrcoef(found[:, 0], vectors[:, 1])[0, 1]) > 0.99


def test_zeros_stay_zeros() -> None:
    vectors = RANDOM.normal(size=(9, 4)).astype(np.float32)
    vectors[:2] = 0
    assert not reduced(vectors, 3)[:2].any()
