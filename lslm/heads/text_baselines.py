"""What a network must beat: bags of words and characters under a linear model, and the majority.

Each is a `Baseline`: fitted on the training documents alone, with settings fixed beforehand, it
answers `(n, n_labels)`, columns in the order of `targets["labels"]`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from lslm.heads.contract import Array, Baseline, Targets

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = rf"[{_CJK}]|[^\W{_CJK}]+"
"""Chinese characters and Japanese kana count as words of their own: nothing separates words there."""

_PAIRS = (1, 2)
_CHARACTERS = (2, 5)


def majority(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """Each label's share of the training documents, whatever the text says."""
    counts = np.bincount(_truth(training, targets), minlength=len(targets["labels"]))
    return np.tile(counts / counts.sum(), (len(documents), 1))


def tfidf_logistic_regression(
    training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int
) -> Array:
    """TF-IDF of words and word pairs under logistic regression; outputs are its probabilities."""
    from sklearn.linear_model import LogisticRegression

    known, asked = _words(training["text"].to_list(), documents["text"].to_list())
    model = LogisticRegression(C=10.0, max_iter=1000, random_state=seed)
    model.fit(known, _truth(training, targets))
    return _columns(model.predict_proba(asked), model.classes_, len(targets["labels"]))


def word_char_svc(
    training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int
) -> Array:
    """TF-IDF of words, word pairs and characters under a linear support vector machine.

    Outputs are the softmax of its decision values: their order means something, their size is not
    calibrated, so its log loss says little.
    """
    from scipy.sparse import hstack
    from scipy.special import softmax
    from sklearn.svm import LinearSVC

    texts = training["text"].to_list(), documents["text"].to_list()
    views = zip(_words(*texts), _characters(*texts), strict=True)
    known, asked = (hstack(pair, "csr") for pair in views)
    model = LinearSVC(random_state=seed).fit(known, _truth(training, targets))
    margins = model.decision_function(asked)
    both = np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins
    return _columns(softmax(both, axis=1), model.classes_, len(targets["labels"]))


def _words(training: Sequence[str], documents: Sequence[str]) -> tuple[Any, Any]:
    """Sparse TF-IDF of words and word pairs, `(n, n_features)` each."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        token_pattern=_WORD, ngram_range=_PAIRS, sublinear_tf=True, dtype=np.float32
    )
    return vectorizer.fit_transform(training), vectorizer.transform(documents)


def _characters(training: Sequence[str], documents: Sequence[str]) -> tuple[Any, Any]:
    """Sparse TF-IDF of two to five characters inside words, `(n, n_features)` each.

    The same as scikit-learn's analyzer `char_wb`, several times faster: a word is taken apart once,
    however often it stands in the corpus.
    """
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    pieces = CountVectorizer(analyzer="char_wb", ngram_range=_CHARACTERS, dtype=np.float32)
    weights = TfidfTransformer(sublinear_tf=True)
    counts, words = _word_counts(training)
    known = counts @ pieces.fit_transform(words)
    counts, words = _word_counts(documents)
    asked = counts @ pieces.transform(words)
    weights.fit(known)
    return weights.transform(known, copy=False), weights.transform(asked, copy=False)


def _word_counts(texts: Sequence[str]) -> tuple[Any, Array]:
    """How often each word stands in each text, `(n, n_words)`, and the words, split at white space."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer=_split, dtype=np.float32)
    return vectorizer.fit_transform(texts), vectorizer.get_feature_names_out()


def _split(text: str) -> list[str]:
    return text.lower().split()


def _truth(training: pl.DataFrame, targets: Targets) -> Array:
    position = {label: index for index, label in enumerate(targets["labels"])}
    return np.array([position[label] for label in training["label"].to_list()])


def _columns(answers: Array, classes: Array, n_labels: int) -> Array:
    """Put a classifier's columns where the label set has them."""
    outputs = np.zeros((len(answers), n_labels))
    outputs[:, classes] = answers
    return outputs


BASELINES: Mapping[str, Baseline] = {
    "majority": majority,
    "tfidf-logistic-regression": tfidf_logistic_regression,
    "word-char-svc": word_char_svc,
}
