"""A summarizer from documents to the registry and back, as a person makes one."""

import json
import random
from pathlib import Path

import pytest

from tests.flows.tiny import lslm

pytestmark = pytest.mark.slow

PIPELINE = """
name: notes
deterministic: true
corpus:
  sources: [{path: notes.jsonl}]
split: {holdout: 0.2}
head: {kind: summarize, options: {n_sentences: 1, sentence_units: 8}}
embedding: {size: 8, min_count: 1, epochs: 2}
encoder: {units: 8}
training: {epochs: 3, batch_size: 8, learning_rate: 0.01}
search:
  n_trials: 2
  space: {head.objective: [hard, ranking], encoder.units: [4, 8]}
evaluation: {folds: 2, resamples: 200, curve: [0.5], seeds: 2}
"""
ANIMALS = ("fox", "dog", "cat", "crow", "hare")
SYSTEMS = {"network", "lead", "random", "centroid", "textrank", "lexrank", "lsa", "oracle"}


def documents(folder: Path) -> None:
    """What matters is said after the word "finally", at a place that changes."""
    rows = []
    for i in range(90):
        animal, place = ANIMALS[i % 5], i % 4
        sentences = [f"It was day {i + j} of the walk number {7 * i}." for j in range(4)]
        sentences.insert(place, f"Finally the {animal} {i} came home to its den.")
        row = {"text": sentences if i % 2 else " ".join(sentences)}
        rows.append(row | {"summary": f"The {animal} {i} came home."})
    (folder / "notes.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "notes.yaml").write_text(PIPELINE, encoding="utf-8")


def test_from_documents_to_a_summary(tmp_path: Path) -> None:
    documents(tmp_path)
    done = lslm("run", "notes.yaml", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for part in ("cross_validation", "holdout"):
        assert report[part]["systems"].keys() == SYSTEMS
        scores = {name: each["rouge1"]["value"] for name, each in report[part]["systems"].items()}
        assert scores["oracle"] == max(scores.values())
        assert scores["network"] > scores["random"]
    rules = {rule["name"]: rule for rule in report["decision"]["rules"]}
    assert "oracle" not in rules["beats every baseline"]["figures"]

    again = lslm("run", "notes.yaml", home=tmp_path)
    assert (again.returncode, again.stderr) == (0, "nothing changed since the last run\n")

    text = "It was day 3 of the walk number 9. Finally the owl came home to its den. It was day 4."
    model = "notes/1"
    said = lslm("summarize", text, "--model", model, "--sentences", "1", home=tmp_path)
    assert said.stdout == "Finally the owl came home to its den.\n", said.stderr
    found = json.loads(lslm("summarize", text, "--model", model, "--json", home=tmp_path).stdout)
    assert [each["chosen"] for each in found["sentences"]] == [False, True, False]
    served = lslm("predict", text, "--model", model, "--json", home=tmp_path)
    assert json.loads(served.stdout)["summary"] == found["text"]
    audited = lslm("audit", "leakage", "notes.yaml", home=tmp_path)
    assert audited.returncode == 0, audited.stdout + audited.stderr


POOL = [f"{animal}{number}" for animal in ANIMALS for number in range(8)]


def without_summaries(folder: Path) -> None:
    """One sentence has the words of all others; its place changes."""
    rows = []
    for i in range(90):
        words = random.Random(i).sample(POOL, 5)
        sentences = [f"The {word} came alone." for word in words]
        sentences.insert(i % 5, f"{' '.join(words).capitalize()} came.")
        rows.append({"text": sentences})
    (folder / "notes.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "notes.yaml").write_text(PIPELINE, encoding="utf-8")


LONGER = ("--set", "search.n_trials=0", "--set", "training.epochs=15")


def test_without_summaries_it_learns_what_stands_for_the_rest(tmp_path: Path) -> None:
    without_summaries(tmp_path)
    done = lslm("run", "notes.yaml", "--json", *LONGER, home=tmp_path)
    assert done.returncode == 0, done.stderr
    holdout = json.loads(done.stdout)["holdout"]["systems"]
    rouge = {name: each["rouge1"]["value"] for name, each in holdout.items()}
    assert rouge["network"] == rouge["oracle"] > rouge["lead"]


def test_a_document_without_its_summary_is_told_in_one_line(tmp_path: Path) -> None:
    documents(tmp_path)
    with (tmp_path / "notes.jsonl").open("a") as file:
        file.write("\n" + json.dumps({"text": "One that has none. It is long enough."}))
    done = lslm("run", "notes.yaml", home=tmp_path)
    assert done.returncode == 2
    assert "documents have no summary" in done.stderr.splitlines()[-1]
