import re

import pytest

from lslm.evaluation.card import model_card
from lslm.evaluation.markdown import markdown, verdict
from lslm.evaluation.report import (
    Decision,
    FoldScores,
    PairedDifference,
    RunReport,
    Score,
    Scores,
)
from lslm.settings import CorpusSettings, RegistrySettings, Settings, Source, TrackingSettings

SETTINGS = Settings(
    name="films",
    corpus=CorpusSettings(sources=(Source(path="films.csv"),), outside=(Source(path="more.txt"),)),
    tracking=TrackingSettings(uri="postgresql+psycopg2://me:secret@host/mlflow"),
)


FOLD = {"network": {"accuracy": 0.79}, "word-char-svc": {"accuracy": 0.78}}


def scores(difference: float, low: float, high: float) -> Scores:
    score = Score(value=0.79, low=0.76, high=0.82, n=853)
    return Scores(
        systems={"network": {"accuracy": score}, "word-char-svc": {"accuracy": score}},
        differences=(
            PairedDifference(
                against="word-char-svc",
                metric="accuracy",
                test="McNemar, exact",
                difference=difference,
                low=low,
                high=high,
                p_value=0.25,
                n=853,
            ),
        ),
        details=({"label": "a|b", "f1": 0.5},),
    )


def report(holdout: Scores, model: str = "films") -> RunReport:
    return RunReport(
        pipeline="films",
        run_id="abc",
        goal="accuracy",
        corpus={
            "cleaning": {
                "read": 7680,
                "kept": 7677,
                "steps": {"html": {"changed": 12, "rejected": 0}},
                "rejects": [{"source": "a.csv", "row": 4, "reason": "too short", "text": "a | b"}],
                "near_duplicate_groups": 2,
                "near_duplicate_documents": 5,
            },
            "split": {"development": {"documents": 7677, "labels": {"neg": 3838, "pos": 3839}}},
        },
        embedding={
            "vocabulary": [900],
            "coverage": [0.975],
            "neighbours": {"good": ["fine"]},
            "plane": {"good": (0.0, 0.1)},
        },
        search={"value": 0.8, "n_complete": 4, "n_pruned": 2, "n_failed": 0, "seconds": 9.0},
        chosen={"training.max_tokens": 123},
        cross_validation=FoldScores(**scores(0.02, 0.01, 0.03).model_dump(), folds=(FOLD, FOLD)),
        holdout=holdout,
        model=model,
        version="3",
        decision=Decision(promoted=True, reason="beats the floor", rules=()),
        seconds={"clean": 60.0},
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.02, 0.01, 0.03), "On the holdout the network beats every baseline: +0.0200"),
        ((-0.02, -0.03, -0.01), "On the holdout the network does not beat every baseline: -0.0200"),
        ((0.01, -0.01, 0.03), "p = 0.25; n = 853), which may be chance. On the folds"),
    ],
)
def test_the_verdict_says_who_is_ahead_and_whether_it_may_be_chance(
    given: tuple[float, float, float], expected: str
) -> None:
    assert expected in verdict(report(scores(*given)))


def test_an_interval_without_0_may_be_chance_where_the_test_says_so() -> None:
    found = report(scores(0.02, 0.01, 0.03))
    assert "which may be chance" in verdict(found)
    sure = tuple(each.model_copy(update={"p_value": 0.01}) for each in found.holdout.differences)
    folds = found.cross_validation.model_copy(update={"differences": sure})
    holdout = found.holdout.model_copy(update={"differences": sure})
    told = verdict(found.model_copy(update={"holdout": holdout, "cross_validation": folds}))
    assert "chance" not in told


def test_the_page_begins_with_the_verdict_and_its_tables_are_whole() -> None:
    page = markdown(report(scores(0.02, 0.01, 0.03)))
    assert page.split("\n\n")[1].startswith("On the holdout the network beats")
    for table in re.findall(r"(?:^\|.*\n?)+", page, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table
    assert r"a\|b" in page


def test_the_card_has_a_head_that_is_yaml_whatever_the_name() -> None:
    from ruamel.yaml import YAML

    card = model_card(report(scores(0.02, 0.01, 0.03), model='films: "best" #1'), SETTINGS)
    head = YAML(typ="safe").load(card.split("---\n")[1])
    (model,) = head["model-index"]
    assert model["name"] == 'films: "best" #1'
    assert model["results"][0]["metrics"][0]["value"] == 0.79


def test_the_card_tells_data_limits_and_where_to_look_but_no_secret() -> None:
    card = model_card(report(scores(0.02, 0.01, 0.03)), SETTINGS)
    for told in (
        "7,677 documents (neg 3,838, pos 3,839)",
        "`films.csv`",
        "123 tokens",
        "`lslm reproduce abc`",
    ):
        assert told in card
    assert "secret" not in card
    assert "Licence: not told" in card


def test_the_card_tells_the_licence_and_what_the_model_is_for() -> None:
    settings = SETTINGS.model_copy(
        update={
            "corpus": SETTINGS.corpus.model_copy(update={"licence": "CC-BY-4.0"}),
            "registry": RegistrySettings(intended_use="To sort letters to the editor."),
        }
    )
    card = model_card(report(scores(0.02, 0.01, 0.03)), settings)
    assert "Licence: CC-BY-4.0." in card
    assert "## Intended use\n\nTo sort letters to the editor." in card


def test_the_card_names_the_cell_that_was_chosen() -> None:
    chosen = report(scores(0.02, 0.01, 0.03)).model_copy(update={"chosen": {"encoder.cell": "gru"}})
    assert 'tags: ["classify", "gru", "recurrent"]' in model_card(chosen, SETTINGS)


def test_the_card_of_a_baseline_is_about_the_baseline() -> None:
    found = report(scores(-0.02, -0.03, 0.01)).model_copy(update={"system": "word-char-svc"})
    card = model_card(found, SETTINGS)
    assert "Registered is the baseline word-char-svc, which did better on the folds." in card
    assert "by the baseline word-char-svc," in card
    assert 'tags: ["classify", "word-char-svc"]' in card
    assert "tokens" not in card.split("## Limits")[1].split("##")[0]


def test_the_page_tells_what_cleaning_did_and_shows_rejects() -> None:
    page = markdown(report(scores(0.02, 0.01, 0.03)))
    assert "7,680 documents read, 7,677 kept. 5 documents are near duplicates" in page
    assert "| html | 12 | 0 |" in page
    assert "| a.csv | 4 | too short | a \\| b |" in page


def test_the_page_tells_what_the_vocabulary_covers_and_what_the_search_came_to() -> None:
    page = markdown(report(scores(0.02, 0.01, 0.03)))
    assert "| 1 | 900 | 97.5% |" in page
    assert "| good | fine |" in page
    assert "4 trials finished, 2 pruned, 0 failed, in 9 s. The best came to 0.8000" in page


def test_less_is_better_where_the_goal_says_so() -> None:
    for difference, told in ((-0.02, "beats every baseline"), (0.02, "does not beat every")):
        minimized = report(scores(difference, -0.03, 0.03)).model_copy(
            update={"direction": "minimize"}
        )
        assert f"the network {told}" in verdict(minimized)
