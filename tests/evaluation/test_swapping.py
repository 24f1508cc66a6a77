"""Words take each other's place, and what that comes to is told with n."""

import pytest

from lslm.evaluation.probed import swaps_text
from lslm.evaluation.swapping import Swapped, swap, swap_effects
from lslm.settings import EvaluationSettings

SETTINGS = EvaluationSettings(resamples=200)


@pytest.mark.parametrize(
    ("text", "word", "other", "expected"),
    [
        ("He said he is the hero.", "he", "she", "She said she is the hero."),
        ("HE and they", "he", "she", "SHE and they"),
        ("nothing here", "he", "she", "nothing here"),
        ("a C++ job, c++!", "c++", "java", "a JAVA job, java!"),
        ("北京的服务很好", "北京", "上海", "上海的服务很好"),
        ("New York is new york", "new york", "Berlin", "Berlin is Berlin"),
    ],
)
def test_whole_words_are_swapped_and_capitals_stay(
    text: str, word: str, other: str, expected: str
) -> None:
    assert swap(text, word, other) == expected


def swapped(*pairs: tuple[float, float]) -> Swapped:
    """Probabilities of `pos` before and after."""
    before, after = (tuple((1 - pair[i], pair[i]) for pair in pairs) for i in (0, 1))
    return Swapped(word="he", other="she", labels=("neg", "pos"), before=before, after=after)


def test_flips_and_changes_are_counted_over_the_documents_that_hold_the_word() -> None:
    (found,) = swap_effects(
        [swapped((0.6, 0.4), (0.7, 0.6), (0.2, 0.1), (0.9, 0.8), (0.3, 0.2))], SETTINGS
    )
    assert found.n == 5
    assert found.flips is not None
    assert found.flips.value == pytest.approx(0.2)
    assert found.changes["pos"].value == pytest.approx(-0.12)
    assert found.changes["neg"].value == pytest.approx(0.12)
    assert found.changes["pos"].high < 0


def test_of_a_handful_of_documents_only_the_number_is_told() -> None:
    (found,) = swap_effects([swapped((0.6, 0.4))], SETTINGS)
    assert (found.n, found.flips, found.changes) == (1, None, {})
    assert "too few documents" in swaps_text([found])


def test_without_lists_there_is_no_section() -> None:
    assert swaps_text([]) == ""
