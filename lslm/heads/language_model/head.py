"""The record of the head `language-model`."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lslm.heads.comparing import by_bootstrap
from lslm.heads.contract import Array, Encode, Goal, Head, Seen, Targets
from lslm.heads.language_model import metrics
from lslm.heads.language_model.baselines import BASELINES
from lslm.heads.language_model.options import Options
from lslm.heads.language_model.rows import Rows
from lslm.heads.language_model.rule import cutting, known, tokens_of, words_of
from lslm.heads.thirds import thirds
from lslm.settings import Hyperparameters, Range, Section
from lslm.text.pieces import learned

if TYPE_CHECKING:
    import keras


def fit_targets(documents: pl.DataFrame, options: Section) -> Targets:
    """The options; and with subwords the pieces of words, learned from the documents."""
    targets: Targets = {"options": options.model_dump(mode="json")}
    wanted = Options.model_validate(targets["options"])
    if wanted.subwords:
        split = words_of(wanted)
        counts = Counter(word for text in documents["text"] for word in split(text))
        targets["pieces"] = list(learned(counts, wanted.subwords))
    return targets


def yardstick(targets: Targets) -> dict[str, Any]:
    """What tokens are. Pieces may be others: all of them spell the same words, and all are known.

    What is unknown is a character that the training documents lack, or lack inside words.
    """
    options = Options.model_validate(targets["options"])
    whole = {} if options.subwords else {"embedding.min_count": options.min_count}
    return {
        "text.tokenizer": options.tokenizer,
        "text.lowercase": options.lowercase,
        "subwords": bool(options.subwords),
        **whole,
    }


def build(encode: Encode, targets: Targets, hyperparameters: Hyperparameters) -> "keras.Model":
    """From tokens `(rows, time)` to nats `(rows, time - 1)`."""
    from lslm.heads.language_model._network import build as network

    return network(encode, Options.model_validate(hyperparameters.head), hyperparameters)


def loss(hyperparameters: Hyperparameters) -> "keras.losses.Loss":
    """Mean nats a token."""
    from lslm.heads.language_model._losses import MeanCost

    return MeanCost()


def begin(network: "keras.Model", part: Seen, hyperparameters: Hyperparameters) -> None:
    """Before it learns, it says that each word is as frequent as it is in the training part."""
    network.get_layer("next_token").begin(part.counts())


def decode(outputs: Array, targets: Targets, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Perplexity a token of each text, its tokens (ends of lines included) and nats."""
    split = tokens_of(targets)
    counts = [len(split(text)) + 1 for text in texts]
    return [
        {"perplexity": float(np.exp(nats / n)), "tokens": n, "nats": float(nats)}
        for nats, n in zip(outputs, counts, strict=True)
    ]


def details(truth: Array, outputs: Array, targets: Targets) -> list[dict[str, Any]]:
    """A row a third of the documents by number of tokens."""
    counts = truth[:, 0]
    return [
        {
            "length": name,
            "cross_entropy": metrics.cross_entropy(truth[rows], outputs[rows]),
            "perplexity": metrics.perplexity(truth[rows], outputs[rows]),
            "n": int(rows.sum()),
        }
        for name, rows in thirds(counts, "tokens")
    ]


HEAD = Head(
    name="language-model",
    options=Options,
    columns=(),
    inherited={
        "tokenizer": "text.tokenizer",
        "lowercase": "text.lowercase",
        "min_count": "embedding.min_count",
    },
    # Fewer words would make a text cheaper: more of them are the unknown one, which is easy to predict.
    needs={"encoder.max_words": 0},
    unused=frozenset(
        {
            "encoder.cell",
            "encoder.bidirectional",
            "encoder.pooling",
            "encoder.tuned_words",
            "encoder.ngrams",
        }
    ),
    searchable=("steps", "weight_dropout", "activation", "temporal"),
    cutting=cutting,
    known=known,
    of_a_fold=frozenset({"pieces"}),
    yardstick=yardstick,
    blocked=True,
    begin=begin,
    writes=True,
    question="lslm score {model} lines.txt",
    batching=Rows(),
    fit_targets=fit_targets,
    encode_targets=metrics.sizes,
    build=build,
    loss=loss,
    goal=Goal("cross_entropy", "minimize"),
    metrics={
        "cross_entropy": metrics.cross_entropy,
        "perplexity": metrics.perplexity,
        "bits_per_character": metrics.bits_per_character,
    },
    example_scores=metrics.nats_per_token,
    details=details,
    decode=decode,
    baselines=BASELINES,
    compare=by_bootstrap,
    space={
        "encoder.head_dropout": Range(low=0.0, high=0.6, step=0.1),
        "head.weight_dropout": Range(low=0.0, high=0.6, step=0.1),
    },
    prediction_schema=(("perplexity", "double"), ("tokens", "long"), ("nats", "double")),
)
