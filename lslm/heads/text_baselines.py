"""What a network must beat: bags of words and characters under a linear model, and the majority.

Each is a `Baseline`: fitted on the training documents alone, with settings fixed beforehand, it
answers `(n, n_labels)`, columns in the order of `targets["labels"]`.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from lslm.heads.contract import Array, Baseline, Targets


def majority(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """Each label's share of the training documents, whatever the text says."""
    counts = np.bincount(_truth(training, targets), minlength=len(targets["labels"]))
    return np.tile(counts / counts.sum(), (len(documents), 1))


def tfidf_logistic_regression(
    training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int
) -> Array:
    """TF-IDF of words and word pairs under logistic regression; outputs are its probabilities."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=10.0, max_iter=1000, random_state=seed))
    model.fit(training["text"].to_list(), _truth(training, targets))
    answers = model.predict_proba(documents["text"].to_list())
    return _columns(answers, model.classes_, len(targets["labels"]))


def word_char_svc(
    training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int
) -> Array:
    """TF-IDF of words, word pairs and characters under a linear support vector machine.

    Outputs are the softmax of its decision values: their order means something, their size is not
    calibrated, so its log loss says little.
    """
    from scipy.special import softmax
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model = make_pipeline(make_union(words, characters), LinearSVC(random_state=seed))
    model.fit(training["text"].to_list(), _truth(training, targets))
    margins = model.decision_function(documents["text"].to_list())
    both = np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins
    return _columns(softmax(both, axis=1), model.classes_, len(targets["labels"]))


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
