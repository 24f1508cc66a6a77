"""Documents of no class, kept apart or learned: a whole run of each, and its audit."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flows.tiny import lslm

PIPELINE = """
name: intents
deterministic: true
corpus:
  sources: [{path: intents.csv}]
split: {holdout: 0.25, out_of_scope: other}
embedding: {size: 16, min_count: 1, epochs: 10}
encoder: {units: 16, bidirectional: false, ngrams: 1, tuned_words: 500}
training: {epochs: 25, batch_size: 16, learning_rate: 0.02}
search: {n_trials: 0}
evaluation: {folds: 2, resamples: 200, curve: [], seeds: 1, explained: 0}
"""
WORDS = {
    "pay": ("pay the bill", "send the money", "transfer the sum"),
    "call": ("ring my mother", "phone the office", "dial this number"),
    "other": ("green tea tastes", "a mountain stands", "seven dogs slept"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("intents")
    lines = ["text,label"]
    for i in range(180):
        label = list(WORDS)[i % 3]
        lines.append(f'"{WORDS[label][i // 3 % 3]} today, please {i}",{label}')
    (folder / "intents.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "intents.yaml").write_text(PIPELINE, encoding="utf-8")
    return folder


def run(place: Path, *options: str) -> dict[str, Any]:
    done = lslm("run", "intents.yaml", *options, "--json", home=place)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_model_that_never_saw_such_documents_tells_them_apart(place: Path) -> None:
    report = run(place)
    assert report["corpus"]["split"]["development"]["labels"].keys() == {"pay", "call"}
    found = report["out_of_scope"]
    assert found["below"] > 0.5
    assert found["holdout"]["accuracy"]["value"] > 0.7
    assert found["holdout"]["recall"]["value"] > 0.5
    texts = [f"{words} today, please 999" for words in WORDS["other"]]
    asked = lslm("predict", *texts, "--model", "intents@challenger", "--json", home=place)
    said = [json.loads(line)["label"] for line in asked.stdout.splitlines()]
    assert said.count("other") >= 2
    audited = lslm("audit", "leakage", "intents.yaml", "--only", "records", home=place)
    assert audited.returncode == 0, audited.stdout + audited.stderr


@pytest.mark.slow
def test_a_model_that_learned_them_as_a_class_knows_them(place: Path) -> None:
    report = run(place, "--set", "split.train_out_of_scope=true")
    assert report["corpus"]["split"]["development"]["labels"].keys() == {"pay", "call", "other"}
    found = report["out_of_scope"]
    assert found["below"] is None
    assert found["holdout"]["accuracy"]["value"] > 0.9
    assert found["holdout"]["recall"]["value"] > 0.9


@pytest.mark.slow
def test_a_label_that_no_document_has_is_refused(place: Path) -> None:
    done = lslm("run", "intents.yaml", "--set", "split.out_of_scope=else", home=place)
    assert done.returncode == 2
    assert "no document is labelled 'else'" in done.stderr
