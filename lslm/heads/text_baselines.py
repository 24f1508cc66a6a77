"""What a network must beat: bags of words and characters under a linear model, and the majority.

Each is a `Baseline`: fitted on the training documents alone, with settings fixed beforehand, it
answers `(n, n_labels)`, columns in the order of `targets["labels"]`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lslm.heads.contract import Array, Baseline, Kept, Targets
from lslm.text.tokenizers import CHARACTER, WORD

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline

_WORD = f"{WORD}|{CHARACTER}"
"""The tokenizer's words, cut at apostrophes; characters of scripts without spaces are words of their own."""

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
    return _logistic_regression(training, targets, seed).answers(documents, targets)


def word_char_svc(
    training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int
) -> Array:
    """TF-IDF of words, word pairs and characters under a linear support vector machine.

    Outputs are the softmax of its decision values: their order means something, their size is not
    calibrated, so its log loss says little.
    """
    return _svc(training, targets, seed).answers(documents, targets)


def kept_logistic_regression(training: pl.DataFrame, targets: Targets, seed: int) -> "Pipeline":
    """The same, as a pipeline of scikit-learn that can be kept."""
    return _logistic_regression(training, targets, seed).pipeline()


def kept_svc(training: pl.DataFrame, targets: Targets, seed: int) -> "Pipeline":
    """The same, as a pipeline of scikit-learn that can be kept."""
    return _svc(training, targets, seed).pipeline()


def ask_kept(pipeline: "Pipeline", texts: Sequence[str], targets: Targets) -> Array:
    """What a kept pipeline answers, `(n, n_labels)`: as the baseline did that it comes from."""
    return _outputs(pipeline, list(texts), targets)


@dataclass(frozen=True)
class _Fitted:
    """A linear model on the features of its views, side by side."""

    views: tuple["_Words | _Characters", ...]
    model: Any

    def answers(self, documents: pl.DataFrame, targets: Targets) -> Array:
        from scipy.sparse import hstack

        texts = documents["text"].to_list()
        asked = hstack([view.transform(texts) for view in self.views], "csr")
        return _outputs(self.model, asked, targets)

    def pipeline(self) -> "Pipeline":
        from sklearn.pipeline import make_pipeline, make_union

        return make_pipeline(make_union(*(view.plain() for view in self.views)), self.model)


def _logistic_regression(training: pl.DataFrame, targets: Targets, seed: int) -> _Fitted:
    from sklearn.linear_model import LogisticRegression

    words = _Words()
    model = LogisticRegression(C=10.0, max_iter=1000, random_state=seed)
    model.fit(words.fit_transform(training["text"].to_list()), _truth(training, targets))
    return _Fitted((words,), model)


def _svc(training: pl.DataFrame, targets: Targets, seed: int) -> _Fitted:
    from scipy.sparse import hstack
    from sklearn.svm import LinearSVC

    texts, views = training["text"].to_list(), (_Words(), _Characters())
    known = hstack([view.fit_transform(texts) for view in views], "csr")
    return _Fitted(views, LinearSVC(random_state=seed).fit(known, _truth(training, targets)))


def _outputs(model: Any, asked: Any, targets: Targets) -> Array:
    """Probabilities where the model has them, else the softmax of its decision values."""
    from scipy.special import softmax

    if hasattr(model, "predict_proba"):
        answers = model.predict_proba(asked)
    else:
        margins = model.decision_function(asked)
        both = np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins
        answers = softmax(both, axis=1)
    return _columns(answers, model.classes_, len(targets["labels"]))


class _Words:
    """TF-IDF of words and word pairs, sparse `(n, n_features)`."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(
            token_pattern=_WORD, ngram_range=_PAIRS, sublinear_tf=True, dtype=np.float32
        )

    def fit_transform(self, texts: Sequence[str]) -> Any:
        return self._vectorizer.fit_transform(texts)

    def transform(self, texts: Sequence[str]) -> Any:
        return self._vectorizer.transform(texts)

    def plain(self) -> "TfidfVectorizer":
        """The same in scikit-learn's own form."""
        return self._vectorizer


class _Characters:
    """TF-IDF of two to five characters inside words, sparse `(n, n_features)`.

    The same as scikit-learn's analyzer `char_wb`, several times faster on many texts: a word is taken
    apart once, however often it stands in the corpus.
    """

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

        self._pieces = CountVectorizer(
            analyzer="char_wb", ngram_range=_CHARACTERS, dtype=np.float32
        )
        self._weights = TfidfTransformer(sublinear_tf=True)

    def fit_transform(self, texts: Sequence[str]) -> Any:
        counts, words = _word_counts(texts)
        known = counts @ self._pieces.fit_transform(words)
        return self._weights.fit(known).transform(known, copy=False)

    def transform(self, texts: Sequence[str]) -> Any:
        counts, words = _word_counts(texts)
        return self._weights.transform(counts @ self._pieces.transform(words), copy=False)

    def plain(self) -> "TfidfVectorizer":
        """The same in scikit-learn's own form."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=_CHARACTERS,
            sublinear_tf=True,
            dtype=np.float32,
            vocabulary=self._pieces.vocabulary_,
        )
        vectorizer.idf_ = self._weights.idf_
        return vectorizer


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
KEPT: Mapping[str, Kept] = {
    "tfidf-logistic-regression": Kept(kept_logistic_regression, ask_kept),
    "word-char-svc": Kept(kept_svc, ask_kept),
}
