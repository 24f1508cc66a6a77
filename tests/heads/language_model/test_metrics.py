"""What documents cost, as numbers that are comparable."""

import numpy as np
import polars as pl
import pytest

from lslm.heads.language_model import metrics
from lslm.heads.language_model.baselines import BASELINES
from lslm.heads.language_model.head import decode
from lslm.heads.language_model.options import Options
from lslm.statistics.resampling import Draws

TARGETS = {"options": Options(min_count=1).model_dump(mode="json")}
DOCUMENTS = pl.DataFrame({"text": ["One two.\nThree", "", "four"]})


def test_each_line_s_end_is_a_token_and_a_character() -> None:
    assert metrics.sizes(DOCUMENTS, TARGETS).tolist() == [[6, 15], [1, 1], [2, 5]]


def test_a_model_that_knows_nothing_is_as_perplexed_as_there_are_words() -> None:
    truth = metrics.sizes(DOCUMENTS, TARGETS)
    outputs = truth[:, 0] * np.log(50)
    assert metrics.perplexity(truth, outputs) == pytest.approx(50)
    assert metrics.cross_entropy(truth, outputs) == pytest.approx(np.log(50))
    assert metrics.bits_per_character(truth, outputs) == pytest.approx(9 * np.log2(50) / 21)
    answers = decode(outputs, TARGETS, DOCUMENTS["text"].to_list())
    assert [each["perplexity"] for each in answers] == pytest.approx([50, 50, 50])


def test_perplexity_is_of_all_tokens_and_the_goal_of_all_documents() -> None:
    truth, outputs = np.array([[8, 1], [2, 1]]), np.array([8.0, 12.0])
    assert metrics.perplexity(truth, outputs) == pytest.approx(np.exp(2))
    assert metrics.cross_entropy(truth, outputs) == pytest.approx(3.5)


def test_resampled_perplexities_surround_the_perplexity() -> None:
    random = np.random.default_rng(0)
    truth = np.stack([random.integers(5, 50, 400)] * 2, axis=1)
    outputs = truth[:, 0] * random.normal(3, 0.5, 400)
    drawn = metrics.perplexity.resample(truth, outputs, Draws(500, random))
    one_by_one = [
        metrics.perplexity(truth[rows], outputs[rows])
        for rows in random.integers(0, 400, (500, 400))
    ]
    assert drawn.mean() == pytest.approx(np.mean(one_by_one), rel=0.01)
    assert drawn.std() == pytest.approx(np.std(one_by_one), rel=0.15)


def test_baselines_see_the_tokens_that_the_options_say() -> None:
    training = pl.DataFrame({"text": ["ab ab ab", "ab ba"]})
    characters = Options(tokenizer="all-characters", min_count=1, order=2)
    for options in (Options(min_count=1, order=2), characters):
        targets = {"options": options.model_dump(mode="json")}
        costs = {
            name: baseline(training, training, targets, 0).sum()
            for name, baseline in BASELINES.items()
        }
        assert costs["kneser-ney"] < costs["unigram"]
