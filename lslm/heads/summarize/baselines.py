"""Summarizers to beat, each giving a score a sentence; `oracle` knows the references."""

import random as chance
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lslm.heads.contract import Array, Targets
from lslm.heads.ragged import ragged
from lslm.heads.summarize.options import Options
from lslm.heads.summarize.rouge import tokens
from lslm.heads.summarize.truth import encode
from lslm.text.sentences import splitter


def lead(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """The first sentences."""
    return _scored(documents, targets, lambda sentences: -np.arange(len(sentences)))


def random(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """Any sentences."""
    drawn = chance.Random(seed)
    return _scored(documents, targets, lambda each: np.array([drawn.random() for _ in each]))


def centroid(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """Cosine with the document, in TF-IDF of the training documents' sentences (Radev et al. 2004)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    options = Options.model_validate(targets["options"])
    split = splitter(options.split, options.language)
    weights = TfidfVectorizer(
        analyzer=lambda text: tokens(text, options.language), sublinear_tf=True
    )
    weights.fit(sentence for text in training["text"] for sentence in split(text))

    def scores(sentences: list[str]) -> Array:
        rows: Any = weights.transform(sentences)
        return np.asarray(rows @ np.asarray(rows.sum(axis=0)).ravel())

    return _scored(documents, targets, scores)


def textrank(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """TextRank of the package sumy (Mihalcea & Tarau 2004)."""
    from sumy.summarizers.text_rank import TextRankSummarizer

    return _of_sumy(TextRankSummarizer, documents, targets)


def lexrank(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """LexRank of the package sumy (Erkan & Radev 2004)."""
    from sumy.summarizers.lex_rank import LexRankSummarizer

    return _of_sumy(LexRankSummarizer, documents, targets)


def lsa(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """Latent semantic analysis of the package sumy (Steinberger & Jezek 2004)."""
    from sumy.summarizers.lsa import LsaSummarizer

    return _of_sumy(LsaSummarizer, documents, targets)


def oracle(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """The sentences that the references call for: no extractive summarizer can do much better."""
    return ragged(
        [
            np.array(
                [label + gain / 1000 for label, gain in zip(t["labels"], t["gains"], strict=True)]
            )
            for t in encode(documents, targets)
        ]
    )


BASELINES = {
    "lead": lead,
    "random": random,
    "centroid": centroid,
    "textrank": textrank,
    "lexrank": lexrank,
    "lsa": lsa,
    "oracle": oracle,
}
CEILINGS = frozenset({"oracle"})


@dataclass(frozen=True)
class _Sentence:
    """What sumy asks of a sentence; two of equal words stay two."""

    words: tuple[str, ...]
    place: int


@dataclass(frozen=True)
class _Document:
    """What sumy asks of a document."""

    sentences: tuple[_Sentence, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for sentence in self.sentences for word in sentence.words)


def _of_sumy(kind: type, documents: pl.DataFrame, targets: Targets) -> Array:
    """Ratings of a summarizer of sumy, which otherwise tells only what it chose."""
    language = Options.model_validate(targets["options"]).language

    class Rating(kind):
        @staticmethod
        def _get_best_sentences(sentences: Any, count: Any, rating: Any, *_: Any, **__: Any) -> Any:
            rate = rating.__getitem__ if isinstance(rating, dict) else rating
            return [float(rate(sentence)) for sentence in sentences]

    summarizer = Rating()

    def scores(sentences: list[str]) -> Array:
        made = tuple(
            _Sentence(tuple(tokens(each, language)), place) for place, each in enumerate(sentences)
        )
        # Without words there is nothing to rate; one sentence is chosen in any case.
        if len(made) < 2 or not any(sentence.words for sentence in made):
            return np.zeros(len(made))
        with np.errstate(invalid="ignore"):
            ratings = np.array(summarizer(_Document(made), len(made)))
        # Where no sentence is like another, LexRank divides by nothing: then the first is chosen.
        return np.nan_to_num(ratings)

    return _scored(documents, targets, scores)


def _scored(
    documents: pl.DataFrame,
    targets: Targets,
    scores: Callable[[list[str]], Array | Sequence[float]],
) -> Array:
    options = Options.model_validate(targets["options"])
    split = splitter(options.split, options.language)
    return ragged([np.asarray(scores(split(text)), np.float64) for text in documents["text"]])
