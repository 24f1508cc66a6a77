"""The record of the head `summarize`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lslm.heads.comparing import by_bootstrap
from lslm.heads.contract import Array, Encode, Goal, Head, Targets
from lslm.heads.summarize import metrics, truth
from lslm.heads.summarize.baselines import BASELINES, CEILINGS
from lslm.heads.summarize.grid import Grid
from lslm.heads.summarize.options import Length, Options
from lslm.heads.summarize.selection import choose, joined
from lslm.heads.thirds import thirds
from lslm.settings import Hyperparameters, Range, Section
from lslm.statistics.resampling import Mean
from lslm.text.sentences import splitter

if TYPE_CHECKING:
    import keras


def fit_targets(documents: pl.DataFrame, options: Section) -> Targets:
    """The options; nothing is learned from the documents. InputError for broken summaries or labels."""
    targets = {"options": options.model_dump(mode="json")}
    truth.check(documents)
    truth.check_language(documents, Options.model_validate(targets["options"]).language)
    return targets


def build(encode: Encode, targets: Targets, hyperparameters: Hyperparameters) -> "keras.Model":
    """From a grid of tokens and features to probabilities `(rows, sentences, 1)`."""
    from lslm.heads.summarize._network import build as network

    return network(encode, _options(hyperparameters).sentence_units, hyperparameters)


def loss(hyperparameters: Hyperparameters) -> "keras.losses.Loss":
    """As `head.objective` says."""
    from lslm.heads.summarize._losses import SentenceLoss

    options = _options(hyperparameters)
    return SentenceLoss(options.objective, options.sharpness)


def decode(outputs: Array, targets: Targets, texts: Sequence[str]) -> list[dict[str, Any]]:
    """The summary, and every sentence with its score and whether it was chosen."""
    options = Options.model_validate(targets["options"])
    return [
        summarized(text, scores, options, options)
        for text, scores in zip(texts, outputs, strict=True)
    ]


def summarized(text: str, scores: Array, length: Length, options: Options) -> dict[str, Any]:
    """The answer for one cleaned text from the scores of its sentences, `(n_sentences,)`."""
    sentences = splitter(options.split, options.language)(text)
    chosen = choose(sentences, scores, length, options.language)
    return {
        "summary": joined(sentences, chosen),
        "sentences": [
            {"text": sentence, "score": float(scores[place]), "chosen": place in chosen}
            for place, sentence in enumerate(sentences)
        ],
    }


def details(given: Array, outputs: Array, targets: Targets) -> list[dict[str, Any]]:
    """A row a third of the documents by number of sentences: scores, and where sentences were chosen."""
    counts = np.array([len(each["sentences"]) for each in given])
    return [
        {
            "length": name,
            "rouge1": float(metrics.rouge1(given[rows], outputs[rows]).mean()),
            "sentence_f1": float(metrics.sentence_f1(given[rows], outputs[rows]).mean()),
            "n": int(rows.sum()),
        }
        for name, rows in thirds(counts, "sentences")
    ]


def _options(hyperparameters: Hyperparameters) -> Options:
    return Options.model_validate(hyperparameters.head)


HEAD = Head(
    name="summarize",
    options=Options,
    columns=(),
    extras=(truth.SUMMARY, truth.LABELS),
    searchable=("objective", "sharpness", "sentence_units"),
    batching=Grid(),
    fit_targets=fit_targets,
    encode_targets=truth.encode,
    build=build,
    loss=loss,
    goal=Goal("rouge1", "maximize"),
    metrics={
        "rouge1": Mean(metrics.rouge1),
        "rouge2": Mean(metrics.rouge2),
        "rougeL": Mean(metrics.rouge_l),
        "sentence_f1": Mean(metrics.sentence_f1),
        "compression": Mean(metrics.compression),
    },
    example_scores=metrics.rouge1,
    details=details,
    decode=decode,
    baselines=BASELINES,
    ceilings=CEILINGS,
    compare=by_bootstrap,
    space={
        "encoder.head_dropout": Range(low=0.0, high=0.6, step=0.1),
        "head.objective": ("hard", "soft", "ranking"),
    },
    prediction_schema=(("summary", "string"),),
    question="lslm summarize --model {model} document.txt",
    packages=("nltk", "rouge-score", "scipy", "sentencex"),
)
