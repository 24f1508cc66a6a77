import json

import polars as pl
import pytest

from lslm.heads.summarize.baselines import BASELINES
from lslm.heads.summarize.head import HEAD
from lslm.heads.summarize.options import Options

TEXTS = [
    "The fox runs in the red wood. Dogs bark. The red fox runs far in the wood. It rains.",
    "Alone.",
    "... !!! ???",
    "Twice the same. Twice the same. Another one.",
]
DOCUMENTS = pl.DataFrame(
    {"text": TEXTS, "extras": [json.dumps({"summary": text.split(".")[0] + "."}) for text in TEXTS]}
)
TARGETS = HEAD.fit_targets(DOCUMENTS, Options())


@pytest.mark.parametrize("name", BASELINES)
def test_each_gives_every_sentence_a_score(name: str) -> None:
    outputs = BASELINES[name](DOCUMENTS, DOCUMENTS, TARGETS, 0)
    counts = [len(each["sentences"]) for each in HEAD.encode_targets(DOCUMENTS, TARGETS)]
    assert [len(each) for each in outputs] == counts


@pytest.mark.parametrize("name", ["centroid", "textrank"])
def test_the_sentence_like_the_others_is_rated_above_one_that_is_like_none(name: str) -> None:
    first = BASELINES[name](DOCUMENTS, DOCUMENTS, TARGETS, 0)[0]
    assert first[2] > first[3]


def test_lead_takes_the_first_and_the_oracle_what_the_summary_calls_for() -> None:
    truth = HEAD.encode_targets(DOCUMENTS, TARGETS)
    for name in ("lead", "oracle"):
        outputs = BASELINES[name](DOCUMENTS, DOCUMENTS, TARGETS, 0)
        assert HEAD.metrics["rouge1"](truth[:2], outputs[:2]) == 1.0


def test_chance_depends_on_the_seed_alone() -> None:
    one, two, other = (
        BASELINES["random"](DOCUMENTS, DOCUMENTS, TARGETS, s)[0].tolist() for s in (1, 1, 2)
    )
    assert one == two != other


def test_documents_whose_sentences_share_no_word_are_rated_too() -> None:
    apart = DOCUMENTS.head(1).with_columns(text=pl.lit("Aa bb. Cc dd."))
    (found,) = BASELINES["lexrank"](apart, apart, TARGETS, 0)
    assert found.tolist() == [0.0, 0.0]
