"""Scores that a head remembers are timed as scores it has not seen."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lslm.costing import reporting
from lslm.settings import Settings

EACH, LOADING = 0.5, 7.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that scoring moves on: half a second for each document and answer it never saw, 7 the first time."""
    now, seen = [0.0], set[tuple[int, bytes]]()

    def score(head: object, answers: SimpleNamespace, evaluation: object) -> None:
        now[0] += 0.0 if seen else LOADING
        for outputs in answers.outputs.values():
            for row, said in zip(answers.truth, outputs, strict=True):
                fresh = (int(row), np.asarray(said).tobytes()) not in seen
                seen.add((int(row), np.asarray(said).tobytes()))
                now[0] += EACH * fresh

    monkeypatch.setattr(reporting, "score_systems", score)
    monkeypatch.setattr("time.process_time", lambda: now[0])
    return now


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(("n", "fixed", "each"), [(40, LOADING, EACH), (3, LOADING + 3.0, 0.0)])
def test_a_document_costs_what_it_costs_the_first_time(
    monkeypatch: pytest.MonkeyPatch,
    clock: list[float],
    n: int,
    fixed: float,
    each: float,
    ragged: bool,
) -> None:
    part = SimpleNamespace(validation=SimpleNamespace(targets=np.arange(n)), targets={})
    monkeypatch.setattr(reporting, "Part", lambda folder: part)
    scores = [np.array([number, 1.0 - number]) for number in np.linspace(0, 0.4, n)]
    outputs = reporting.ragged(scores) if ragged else np.stack(scores)
    found = reporting.seconds(Settings(name="toy"), outputs, Path("part"))
    assert found.fixed == pytest.approx(fixed)
    assert found.each == pytest.approx(each)
