"""The parts of searches inside folds are audited like all others, and must not know what their fold holds back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm.audit import canary, everything
from lslm.audit.evidence import Evidence, FittedPart, nested_parts, rows_of
from lslm.audit.findings import Finding, passed
from lslm.settings import Settings
from tests.audit.conftest import SETTINGS, evidence_of, fit_part, write_data

NESTED = Settings.model_validate(SETTINGS | {"evaluation": {"folds": 2, "nested": True}})


@pytest.fixture
def nested(root: Path) -> Evidence:
    """The finished pipeline, as a nested one leaves it."""
    plain = evidence_of(root)
    rows = rows_of(NESTED, pl.read_parquet(plain.development))
    inside = [
        FittedPart(name, fit_part(root, name, *rows[name]), *rows[name])
        for name in nested_parts(NESTED)
    ]
    answers = plain.answers
    return replace(plain, settings=NESTED, parts=(*plain.parts, *inside), nested=answers)


def of(findings: list[Finding], looked_at: str) -> dict[str, Finding]:
    return {each.check: each for each in findings if each.looked_at == looked_at}


def test_an_honest_nested_run_passes_every_check(nested: Evidence) -> None:
    findings = everything.examine(nested)
    assert passed(findings), [each for each in findings if each.result not in ("ok", "note")]
    for name in ("fold 1, search", "fold 2, search"):
        assert of(findings, name)["rows inside a fold"].result == "ok"
        assert of(findings, f"{name}: vocabulary")["documents read"].result == "ok"
    assert of(findings, "fold 2, nested")["rows scored"].result == "ok"


@pytest.mark.parametrize("side", ["training", "validation"])
def test_a_search_that_sees_a_document_of_its_fold_is_found(nested: Evidence, side: str) -> None:
    parts = {part.name: part for part in nested.parts}
    inner, held = parts["fold 1, search"], parts["fold 1"].validation[:1]
    seen = np.sort(np.append(getattr(inner, side), held))
    parts[inner.name] = replace(inner, **{side: seen})
    findings = everything.examine(replace(nested, parts=tuple(parts.values())))
    finding = of(findings, "fold 1, search")["rows inside a fold"]
    assert finding.result == "leak"
    assert f"rows that fold 1 holds back: {held[0]}" in finding.detail


def test_answers_of_another_fold_are_found(nested: Evidence) -> None:
    findings = everything.examine(replace(nested, nested=nested.nested[::-1]))
    assert of(findings, "fold 1, nested")["rows scored"].result == "leak"


def test_the_canary_knows_the_word_of_the_fold_around_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = canary.prepare
    leaking: list[str] = []

    def prepared(*, documents: Path, rows, into: Path, **rest) -> Path:
        training, validation = rows
        if into.name in leaking:
            training = np.setdiff1d(np.arange(pl.read_parquet(documents).height), validation)
        return honest(documents=documents, rows=(training, validation), into=into, **rest)

    monkeypatch.setattr(canary, "prepare", prepared)
    write_data(tmp_path)
    clean = canary.check(NESTED, tmp_path, most=500)
    assert [each.looked_at for each in clean if each.result != "ok"] == []
    leaking.append("fold 2, search")
    (finding,) = [
        each for each in canary.check(NESTED, tmp_path, most=500) if each.result == "leak"
    ]
    assert finding.looked_at == "fold 2, search"
    assert "the word planted in the fold 2 part is in vocabulary.json" in finding.detail
