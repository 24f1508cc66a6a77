"""A linear model of a document's words and n-grams, fitted before the network learns.

Wang & Manning 2012 (NB-LR): logistic regression on counts that are scaled by the naive Bayes log-count ratios of
the training documents. Here n-grams are hashed, counts are divided by the root of the number of tokens, and
several labels are told apart one against the rest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lslm.errors import InputError
from lslm.heads.contract import Array, Documents

PRIMES = (30_011, 28_603)
SPANS = (32_749, 1_021)
"""Of two hashes: with these a product, and their combination, stay inside int32 in any framework."""
_INVERSE_PENALTY = 25.0
"""`C` of the regression: good for long and for short opinions (docs/log.md, 2026-11-28)."""
_SMOOTHING = 1.0


def rows_of(
    tokens: Any, order: int, n_words: int, buckets: int, shift: Callable[[Any], Any]
) -> list[Any]:
    """The row that each token's n-gram has in the table, for n from 1 to `order`; n-grams end at the token.

    Words have a row each, longer n-grams share `buckets` rows behind these. `shift` moves tokens one place to the
    right, padding in front: arrays of NumPy and of Keras's backends are hashed alike.
    """
    first, second = (tokens % span for span in SPANS)
    earlier, found = tokens, [tokens]
    for _ in range(order - 1):
        earlier = shift(earlier)
        first = (first * PRIMES[0] + earlier) % SPANS[0]
        second = (second * PRIMES[1] + earlier) % SPANS[1]
        found.append(n_words + (first + SPANS[0] * second) % buckets)
    return found


def fit(
    documents: Documents, longest: int, order: int, n_words: int, buckets: int, n_labels: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights `(n_words + buckets, n_labels)` and biases `(n_labels,)`: an n-gram's share in each label's score.

    Each label has documents. They are cut to `longest` tokens, as the network reads them. In memory are some 40
    bytes for each different n-gram of each document. More than 2^31 n-grams raise InputError.
    """
    counts = counted(documents, longest, order, n_words, buckets)
    # What no document has is left out: it would be smoothed as if it could have been seen.
    seen, columns = np.unique(counts.indices, return_inverse=True)
    narrow = (counts.data, columns.astype(np.int32), counts.indptr)
    counts = type(counts)(narrow, shape=(len(documents), len(seen)))
    truth = np.asarray(documents.targets)
    weights = np.zeros((n_words + buckets, n_labels), np.float32)
    biases = np.zeros(n_labels, np.float32)
    if not len(seen):
        return weights, biases
    if n_labels == 2:
        weight, bias = _against_the_rest(counts, truth == 1)
        weights[seen, 1], biases[1] = weight / 2, bias / 2
        weights[seen, 0], biases[0] = -weight / 2, -bias / 2
        return weights, biases
    for label in range(n_labels):
        weights[seen, label], biases[label] = _against_the_rest(counts, truth == label)
    return weights, biases


def _against_the_rest(counts: Any, is_it: NDArray[np.bool_]) -> tuple[Array, float]:
    from sklearn.linear_model import LogisticRegression

    ratios = _log_count_ratios(counts, is_it)
    model = LogisticRegression(
        C=_INVERSE_PENALTY, solver="liblinear", dual=True, max_iter=1000, random_state=0
    )
    scaled = type(counts)(
        (counts.data * ratios[counts.indices], counts.indices, counts.indptr), shape=counts.shape
    )
    model.fit(scaled, is_it)
    return model.coef_[0] * ratios, float(model.intercept_[0])


def _log_count_ratios(counts: Any, is_it: NDArray[np.bool_]) -> Array:
    """Of the documents with each n-gram, smoothed by one."""
    width = counts.shape[1]
    inside = np.bincount(counts.indices, np.repeat(is_it, np.diff(counts.indptr)), width)
    outside = np.bincount(counts.indices, minlength=width) - inside
    smoothed = [n + _SMOOTHING for n in (inside, outside)]
    return np.log(smoothed[0] / smoothed[0].sum()) - np.log(smoothed[1] / smoothed[1].sum())


def counted(documents: Documents, longest: int, order: int, n_words: int, buckets: int) -> Any:
    """Counts over the root of the number of tokens, sparse `(n, n_words + buckets)`."""
    from scipy.sparse import csr_array

    cut = [documents.document(row, longest) for row in range(len(documents))]
    lengths = np.array([len(each) for each in cut], np.int64)
    if lengths.sum() * order > np.iinfo(np.int32).max:
        raise InputError(
            f"{lengths.sum()} words with n-grams of up to {order} words are too many for it",
            where="head.options.linear",
            right=f"no more than {np.iinfo(np.int32).max} n-grams; a smaller training.max_tokens has fewer",
        )
    tokens = np.concatenate([np.zeros(0, np.int64), *cut])
    begins = (np.cumsum(lengths) - lengths)[lengths > 0]

    def shift(earlier: Array) -> Array:
        moved = np.concatenate([[0], earlier])[:-1]
        moved[begins] = 0
        return moved

    columns = np.empty((len(tokens), order), np.int32)
    for place, rows in enumerate(rows_of(tokens, order, n_words, buckets, shift)):
        columns[:, place] = rows
    values = np.repeat(1.0 / np.sqrt(np.maximum(lengths, 1)), lengths * order)
    offsets = np.concatenate([[0], np.cumsum(lengths * order)]).astype(np.int32)
    found = csr_array((values, columns.ravel(), offsets), shape=(len(cut), n_words + buckets))
    found.sum_duplicates()
    return found
