import keras
import numpy as np
import pytest

from lslm.heads import linear
from lslm.heads._linear import LinearNgrams, Mixed
from lslm.training.parts import Examples

ORDER, N_WORDS, BUCKETS = 3, 9, 97
TOKENS = np.array([[4, 7, 4, 2], [7, 4, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0]], np.int32)
TRUTH = np.array([1, 0, 1, 0])


def examples(tokens: np.ndarray, targets: np.ndarray) -> Examples:
    kept = [row[row > 0] for row in tokens]
    offsets = np.cumsum([0, *map(len, kept)])
    return Examples(np.concatenate(kept), offsets, targets)


def layer(n_labels: int = 2, order: int = ORDER) -> LinearNgrams:
    made = LinearNgrams(n_labels, N_WORDS, order, BUCKETS, dtype="float32")
    made.build(TOKENS.shape)
    return made


def drawn(n: int, n_labels: int) -> Examples:
    """Documents of six words whose label is told by a pair: word `2 + label`, then word 8."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, n_labels, n)
    tokens = rng.integers(2, 8, (n, 6))
    places = rng.integers(0, 5, n)
    tokens[np.arange(n), places], tokens[np.arange(n), places + 1] = 2 + targets, 8
    return examples(tokens, targets)


def test_the_layer_scores_what_the_regression_was_fitted_on() -> None:
    documents, made = examples(TOKENS, TRUTH), layer()
    made.learn(documents, longest=10)
    counts = linear.counted(documents, 10, ORDER, N_WORDS, BUCKETS)
    expected = counts @ np.asarray(made.table) + np.asarray(made.bias)
    np.testing.assert_allclose(made(TOKENS), expected, atol=1e-6)


def test_scores_are_those_of_logistic_regression_on_scaled_counts() -> None:
    from sklearn.linear_model import LogisticRegression

    documents = drawn(200, 2)
    table, bias = linear.fit(documents, 10, 1, N_WORDS, BUCKETS, 2)
    texts = [documents.document(row, 10) for row in range(200)]
    counts = np.array([np.bincount(text, minlength=N_WORDS) for text in texts])
    there, ones = counts > 0, documents.targets == 1
    inside, outside = (there[rows].sum(axis=0) + 1.0 for rows in (ones, ~ones))
    seen = there.any(axis=0)
    total = [each[seen].sum() for each in (inside, outside)]
    ratios = np.log((inside / total[0]) / (outside / total[1])) * seen
    plain = LogisticRegression(C=25.0, solver="liblinear", tol=1e-8, max_iter=10_000)
    plain.fit(counts / np.sqrt(6) * ratios, ones)
    expected = plain.decision_function(counts / np.sqrt(6) * ratios)
    scores = counts / np.sqrt(6) @ table[:N_WORDS] + bias
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], expected, atol=0.05)
    assert not table[N_WORDS:].any()


@pytest.mark.parametrize("n_labels", [2, 4])
def test_a_pair_of_words_tells_the_label_where_words_alone_do_not(n_labels: int) -> None:
    documents, unseen = drawn(600, n_labels), drawn(900, n_labels)
    hits = {}
    for order in (1, 2):
        made = layer(n_labels, order)
        made.learn(documents, longest=10)
        tokens = np.stack([unseen.document(row, 10) for row in range(600, 900)]).astype(np.int32)
        hits[order] = (np.asarray(made(tokens)).argmax(axis=1) == unseen.targets[600:]).mean()
    assert hits[2] > 0.9 > hits[1] + 0.05


def test_rows_that_nothing_falls_into_change_no_score() -> None:
    documents, tokens = drawn(300, 4), np.array([[3, 8, 5, 2, 0]], np.int32)
    scores = []
    for buckets in (2**18, 2**20):
        made = LinearNgrams(4, N_WORDS, 2, buckets, dtype="float32")
        made.build(tokens.shape)
        made.learn(documents, longest=10)
        scores.append(np.asarray(made(tokens)))
    np.testing.assert_allclose(*scores, atol=1e-5)


def test_two_fits_are_the_same_bit_for_bit() -> None:
    first, second = (linear.fit(drawn(300, 4), 10, 3, N_WORDS, BUCKETS, 4) for _ in range(2))
    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))


def test_documents_without_a_word_are_no_obstacle() -> None:
    nothing = examples(np.zeros((3, 4), np.int32), np.array([0, 1, 1]))
    table, bias = linear.fit(nothing, 10, 2, N_WORDS, BUCKETS, 2)
    assert not table.any()
    assert not bias.any()


def test_documents_are_cut_as_the_network_reads_them() -> None:
    documents = examples(np.array([[2, 3, 4, 5], [6, 4, 3, 7]]), np.array([0, 1]))
    made = layer(order=1)
    made.learn(documents, longest=2)
    # Head and tail are kept: the two words between are unseen.
    table = np.asarray(made.table)
    assert table[[2, 5, 6, 7], 1].all()
    assert not table[[3, 4]].any()
    assert not made.trainable_variables


@pytest.mark.parametrize("order", [2, 5])
def test_ids_near_the_largest_stay_inside_the_table(order: int) -> None:
    n_words, buckets = 2**21, 2**24
    tokens = keras.ops.full((1, 9), n_words - 1, dtype="int32")
    for rows in linear.rows_of(tokens, order, n_words, buckets, lambda earlier: earlier)[1:]:
        found = np.asarray(rows)
        assert n_words <= found.min() <= found.max() < n_words + buckets


def test_mixed_is_the_network_in_training_and_the_mean_of_logarithms_else() -> None:
    network, beside = np.array([[1.0, -1.0]], np.float32), np.array([[-3.0, 1.0]], np.float32)
    mixed = Mixed(0.25)
    softmax = keras.ops.softmax
    np.testing.assert_allclose(mixed([network, beside], training=True), softmax(network))
    np.testing.assert_allclose(
        mixed([network, beside]), softmax(0.75 * network + 0.25 * beside), atol=1e-6
    )
