"""What explanations come to, on documents whose effects are known."""

import pytest

from lslm.evaluation.explaining import Explained, explanation
from lslm.evaluation.probed import explanation_text
from lslm.settings import EvaluationSettings

SETTINGS = EvaluationSettings(resamples=200)
EFFECTS = (("good", 0.4), ("a", 0.0), ("film", -0.1))


def explained(said: str = "pos", attention: tuple[float, ...] = (0.6, 0.1, 0.3)) -> Explained:
    return Explained(
        source="a.csv", row=1, given="neg", said=said, effects=EFFECTS, attention=attention
    )


def test_the_strongest_words_of_each_answer_come_first() -> None:
    found = explanation([explained("pos")] * 3 + [explained("neg")] * 2, SETTINGS)
    assert found is not None
    assert [(each.label, each.word) for each in found.words] == [
        ("pos", "good"),
        ("pos", "a"),
        ("pos", "film"),
    ]
    assert (found.words[0].effect.value, found.words[0].effect.n) == (pytest.approx(0.4), 3)


@pytest.mark.parametrize(
    ("attention", "tau"),
    [((0.6, 0.1, 0.3), 1.0), ((0.1, 0.6, 0.3), -1.0), ((0.6, 0.3, 0.1), 1 / 3)],
)
def test_attention_agrees_as_far_as_its_ranks_do(attention: tuple[float, ...], tau: float) -> None:
    found = explanation([explained(attention=attention)] * 4, SETTINGS)
    assert found is not None
    assert found.agreement is not None
    assert found.agreement.value == pytest.approx(tau)
    assert found.agreement.n == 4


def test_without_attention_there_is_nothing_to_agree_with() -> None:
    found = explanation([explained(attention=())] * 3, SETTINGS)
    assert found is not None
    assert found.agreement is None
    assert "no attention to compare with" in explanation_text(found)


def test_examples_show_each_answer_in_turn() -> None:
    found = explanation([explained("pos")] * 9 + [explained("neg")], SETTINGS)
    assert found is not None
    assert [each.said for each in found.examples][:3] == ["pos", "neg", "pos"]
    assert "good (+0.400), film (-0.100)" in explanation_text(found)


def test_nothing_explained_is_nothing_told() -> None:
    assert explanation([], SETTINGS) is None
    assert explanation_text(None) == ""
