"""A model that goes on learning scores each text before it learns from it, and forgets in the end."""

from pathlib import Path

import numpy as np
import pytest

from lslm.errors import InputError
from lslm.heads.language_model import _dynamic
from lslm.heads.language_model._dynamic import Pace
from lslm.serving.adapting import score_adapting
from lslm.serving.scoring import score_lines
from tests.serving import language

TEXTS = ["The fox came home, the fox.", "fox", "an owl came"]


def paces(monkeypatch: pytest.MonkeyPatch, *paces: Pace) -> None:
    """Choose among these alone."""
    defaults = _dynamic.chosen.__defaults__
    monkeypatch.setattr(_dynamic.chosen, "__defaults__", (paces,))
    assert defaults == (_dynamic.PACES,)


@pytest.mark.slow
def test_without_a_rate_texts_cost_what_they_cost_the_served_model(
    foxes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces(monkeypatch, Pace(0.0, 0.0))
    plain, found = score_lines(foxes, TEXTS), score_adapting(foxes, TEXTS, held_out=TEXTS[1:])
    assert found.perplexities.together == pytest.approx(plain.perplexity, rel=1e-3)
    each = [line["perplexity"] for line in plain.lines]
    assert np.allclose(found.perplexities.each, each, rtol=1e-3)


def test_what_comes_again_is_cheaper_and_the_folder_stays_as_it_was(
    foxes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces(monkeypatch, Pace(0.0, 0.0), Pace(0.03, 1e-3))
    again = ["home , home"] * 10
    before = score_lines(foxes, again)
    found = score_adapting(foxes, again, held_out=again)
    assert found.pace == Pace(0.03, 1e-3)
    assert found.perplexities.each[0] == pytest.approx(before.lines[0]["perplexity"], rel=1e-3)
    assert found.perplexities.each[-1] < found.perplexities.each[0]
    assert found.perplexities.together < before.perplexity
    assert score_lines(foxes, again) == before


def test_a_folder_without_its_networks_is_refused(tmp_path: Path) -> None:
    language.write(tmp_path / "model", networks=False)
    with pytest.raises(InputError, match="networks"):
        score_adapting(tmp_path / "model", TEXTS, held_out=TEXTS)
