"""What the rules look at, gathered from a real registry and a real served model."""

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.evaluation.report import Score, Scores
from lslm.serving import model_folder
from lslm.serving.model_folder import ModelFolder
from lslm.settings import CleaningSettings, GateSettings, HeadSettings
from lslm.tracking import registry
from lslm.tracking.gate import Challenger, gather
from lslm.tracking.gate.evidence import answers, differing, paired, unlike
from lslm.tracking.gate.opponent import Opponent, significance

HEAD = heads.get("classify")
HOLDOUT = pl.DataFrame(
    {
        "text": ["fine", "dull", "fine fine", "so dull"],
        "label": ["good", "bad", "good", "bad"],
        "fingerprint": pl.Series([1, 2, 3, 4], dtype=pl.UInt64),
        "source": ["a.csv"] * 4,
    }
)
LABELS = {"labels": ["bad", "good"]}
WRONG = np.array([[0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.4, 0.6]])
SETTINGS = GateSettings(min_slice=1)
SCORES = Scores(
    systems={"network": {"accuracy": Score(value=0.75, low=0, high=1, n=4)}}, differences=()
)


@pytest.fixture
def gathered(store, settings, candidate):
    def gather_all(
        outputs=WRONG, targets=LABELS, holdout=HOLDOUT, gate=SETTINGS, changes=None, **named
    ):
        folder = candidate().folder
        if changes:
            model_folder.describe(folder, folder.with_name("changed"), changes)
            folder = folder.with_name("changed")
        challenger = Challenger(HEAD, folder, holdout, outputs, targets, SCORES)
        return gather(store, settings.model_name, challenger, gate, holdout_uses=2, **named)

    return gather_all


@pytest.fixture
def champion(store, settings, candidate):
    def make(seen=()):
        version = registry.register(store, settings, candidate(seen=seen))
        registry.promote(store, settings.model_name, version, "first")

    return make


def test_the_first_model_has_no_champion_to_beat(gathered):
    seen = gathered()
    assert seen.champion is None
    assert {each.comparison for each in seen.slices} == {None}
    assert {each.name: each.challenger for each in seen.slices}["label bad"] == 0.5


def test_challenger_and_champion_answer_for_the_same_documents(champion, gathered):
    champion()
    seen = gathered()
    assert (seen.champion.challenger, seen.champion.champion) == (0.75, 1.0)
    assert (seen.champion.n_left_out, seen.champion.comparison.difference) == (0, -0.25)
    assert {e.name: e.comparison.difference for e in seen.slices}["label bad"] == -0.5


def test_documents_the_champion_trained_on_are_left_out(champion, gathered):
    champion(seen=(4, 1, 99))
    seen = gathered()
    assert (seen.champion.comparison.n, seen.champion.n_left_out) == (2, 2)
    assert seen.champion.challenger == 1.0
    assert sum(each.n for each in seen.slices if each.name.startswith("label")) == 2


def test_a_champion_that_trained_on_the_whole_holdout_is_not_compared(champion, gathered):
    champion(seen=(1, 2, 3, 4))
    seen = gathered()
    assert (seen.champion.comparison, seen.champion.n_left_out) == (None, 4)


def test_labels_the_champion_lacks_are_its_mistakes(champion, gathered):
    champion()
    three = {"labels": ["bad", "dull", "good"]}
    outputs = np.array([[0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]], float)
    holdout = HOLDOUT.with_columns(label=pl.Series(["good", "dull", "good", "bad"]))
    seen = gathered(outputs, three, holdout)
    assert (seen.champion.challenger, seen.champion.champion) == (1.0, 0.75)


def test_models_of_different_heads_are_asked_nothing(candidate):
    folder = candidate().folder
    model_folder.describe(folder, folder.with_name("other"), {"head": HeadSettings(kind="topics")})
    other = ModelFolder(folder.with_name("other"))
    assert differing(other, ModelFolder(folder)) == "head.kind topics, not classify"
    assert not differing(ModelFolder(folder), ModelFolder(folder))


def test_a_champion_of_another_cleaning_is_not_compared(champion, gathered):
    champion()
    seen = gathered(changes={"cleaning": CleaningSettings(html=False)})
    rule = significance(HEAD.goal, seen.champion, SETTINGS)
    assert not rule.passed
    assert rule.figures.endswith("those of version 1: cleaning.html false, not true")
    assert {each.comparison for each in seen.slices} == {None}


@pytest.mark.parametrize(
    ("test", "groups", "said"),
    [
        ("auto", [1, 1, 2, 3], ("randomization: p", "n = 4 in 3 groups")),
        ("auto", range(4), ("McNemar, exact: p", "n = 4")),
        ("bootstrap", [1, 1, 2, 3], ("paired bootstrap: p", "n = 4 in 3 groups")),
        ("mcnemar", [1, 1, 2, 3], ("McNemar, exact: p", "n = 4")),
    ],
)
def test_documents_that_share_a_group_are_taken_together(champion, gathered, test, groups, said):
    champion()
    settings = SETTINGS.model_copy(update={"test": test})
    holdout = HOLDOUT.with_columns(group=pl.Series(groups))
    seen = gathered(holdout=holdout, gate=settings)
    figures = significance(HEAD.goal, seen.champion, settings).figures
    assert said[0] in figures
    assert figures.endswith(said[1])


def test_stored_documents_are_asked_about_as_they_are(candidate):
    # Cleaned once more, it would be left with the first word.
    stored = HOLDOUT[:1].with_columns(text=pl.lit("fine <script>dull dull</script>"))
    outputs, _ = answers(candidate().folder, stored)
    assert outputs.argmax() == LABELS["labels"].index("bad")


def test_a_run_taken_up_again_does_not_fight_its_own_model(champion, gathered, run_id):
    champion()
    assert gathered(run_id=run_id).champion is None


def test_time_and_size_are_measured_on_the_served_model(gathered, candidate):
    seen = gathered()
    files = [path for path in candidate().folder.rglob("*") if path.is_file()]
    assert seen.n_bytes == sum(path.stat().st_size for path in files)
    assert 0 < seen.latency.median <= seen.latency.p95 < 1000
    assert (seen.latency.n, seen.holdout_uses) == (4, 2)


def of_tokens(**options):
    kept = {"pieces": ["a"]} if "subwords" in options else {}
    return {"options": options, **kept}


def test_language_models_of_other_tokens_are_not_compared():
    head = heads.get("language-model")
    words, letters = of_tokens(min_count=2), of_tokens(min_count=2, tokenizer="characters")
    assert unlike(head, words, words) == ""
    assert unlike(head, letters, words) == "text.tokenizer characters, not words"
    assert unlike(head, of_tokens(min_count=5), words) == "embedding.min_count 5, not 2"
    assert unlike(head, of_tokens(subwords=9), of_tokens(subwords=20, min_count=3)) == ""
    assert unlike(HEAD, LABELS, {"labels": ["other"]}) == ""


def test_language_models_of_other_pieces_are_held_to_one_count_of_tokens():
    head, lines = heads.get("language-model"), pl.DataFrame({"text": ["low lower"]})
    one = of_tokens(subwords=9) | {"pieces": ["low"]}
    other = of_tokens(subwords=9) | {"pieces": ["l ow", "low er"]}
    a, b = paired(head, lines, (np.array([12.0]), one), (np.array([24.0]), other))
    assert b == 2 * a


def test_a_rule_says_why_there_is_no_comparison():
    champion = Opponent("3", None, unlike="text.tokenizer characters, not words")
    rule = significance(HEAD.goal, champion, SETTINGS)
    assert not rule.passed
    assert rule.figures.endswith("version 3: text.tokenizer characters, not words")
