"""Models that count: what a network has to beat, on the same tokens and the same vocabulary."""

import polars as pl

from lslm.heads.contract import Array, Targets
from lslm.heads.language_model.kneser_ney import KneserNey
from lslm.heads.language_model.options import Options
from lslm.heads.language_model.rule import tokens_of, vocabulary_of


def unigram(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int) -> Array:
    """How often each token comes, whatever was before it."""
    return _nats(training, documents, targets, 1)


def kneser_ney(
    training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int
) -> Array:
    """N-grams with interpolated Kneser-Ney smoothing, of the order that the options say."""
    return _nats(training, documents, targets, Options.model_validate(targets["options"]).order)


BASELINES = {"unigram": unigram, "kneser-ney": kneser_ney}


def _nats(training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, order: int) -> Array:
    split = tokens_of(targets)
    read = [split(text) for text in training["text"]]
    known = vocabulary_of(read, targets)
    fitted = KneserNey([known.encode(each) for each in read], len(known), order, known.mark)
    return fitted.nats([known.encode(split(text)) for text in documents["text"]])
