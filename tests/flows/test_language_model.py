"""A language model from documents to the registry and back, as a person makes one."""

import json
import random
from pathlib import Path

import pytest

from tests.flows.tiny import lslm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PIPELINE = """
name: walks
deterministic: true
corpus:
  sources: [{path: walks.txt, format: lines}]
split: {holdout: 0.2}
head: {kind: language-model, options: {steps: 12, weight_dropout: 0.1, order: 2}}
embedding: {method: none, size: 16, min_count: 2}
encoder: {units: 24, spatial_dropout: 0.0, head_dropout: 0.0}
training: {epochs: 12, batch_size: 8, learning_rate: 0.02}
search:
  n_trials: 2
  sampler: grid
  space: {head.steps: [8, 12]}
evaluation: {folds: 2, resamples: 200, curve: [], seeds: 1}
"""
ANIMALS = ("fox", "dog", "cat", "crow", "hare", "owl")
PLACES = ("den", "tree", "field", "brook")


def documents(folder: Path) -> None:
    """Lines of one form, which n-grams of two do not see as a whole."""
    draw = random.Random(0)
    lines = []
    for number in range(240):
        animal, place = draw.choice(ANIMALS), draw.choice(PLACES)
        lines.append(f"the {animal} went out to the {place} and home came the {animal} {number}")
    (folder / "walks.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "walks.yaml").write_text(PIPELINE, encoding="utf-8")


def test_from_documents_to_text(tmp_path: Path) -> None:
    documents(tmp_path)
    done = lslm("run", "walks.yaml", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["direction"] == "minimize"
    for part in ("cross_validation", "holdout"):
        systems = report[part]["systems"]
        assert systems.keys() == {"network", "unigram", "kneser-ney"}
        costs = {name: each["cross_entropy"]["value"] for name, each in systems.items()}
        assert costs["network"] < costs["kneser-ney"] < costs["unigram"]
    rules = {rule["name"]: rule for rule in report["decision"]["rules"]}
    assert rules["beats every baseline"]["passed"]
    assert report["decision"]["promoted"]

    again = lslm("run", "walks.yaml", home=tmp_path)
    assert (again.returncode, again.stderr) == (0, "nothing changed since the last run\n")

    asked = ("walks", "the fox went out", "--tokens", "8", "--top-p", "0.9", "--seed", "1")
    written = [lslm("generate", *asked, home=tmp_path) for _ in range(2)]
    assert written[0].stdout == written[1].stdout
    assert written[0].stdout.startswith("the fox went out to the"), written[0].stderr

    (tmp_path / "new.txt").write_text(
        "the owl went out to the den and home came the owl\n\n"
        "the owl went out to the den and home came the fox\n"
        "came den the fox the the home owl out to went and\n",
        encoding="utf-8",
    )
    ranked = lslm("score", "walks", "new.txt", "--ranked", "--json", home=tmp_path)
    assert ranked.returncode == 0, ranked.stderr
    lines = [json.loads(line)["line"] for line in ranked.stdout.splitlines()]
    assert (lines[0], sorted(lines)) == (4, [1, 3, 4])
    audited = lslm("audit", "leakage", "walks.yaml", home=tmp_path)
    assert audited.returncode == 0, audited.stdout + audited.stderr

    more = [f"the {animal} and the vole met at the pond" for animal in ANIMALS] * 3
    (tmp_path / "more.txt").write_text("\n".join(more), encoding="utf-8")
    outside = "corpus.outside=[{path: more.txt, format: lines}]"
    with_vectors = ("--set", "embedding.method=word2vec", "--set", outside)
    done = lslm("run", "walks.yaml", *with_vectors, "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    systems = json.loads(done.stdout)["holdout"]["systems"]
    # The words are the same ones with vectors: baselines cost what they cost before.
    assert systems["unigram"] == report["holdout"]["systems"]["unigram"]
    audited = lslm("audit", "leakage", "walks.yaml", *with_vectors, home=tmp_path)
    assert audited.returncode == 0, audited.stdout + audited.stderr

    # Each fold has pieces of its own, with vectors; costs a piece are not held against those of a word.
    in_pieces = (
        "--set",
        "head.options.subwords=60",
        "--set",
        "embedding.method=word2vec",
        "--json",
    )
    done = lslm("run", "walks.yaml", *in_pieces, home=tmp_path)
    assert done.returncode == 0, done.stderr
    rules = {rule["name"]: rule for rule in json.loads(done.stdout)["decision"]["rules"]}
    assert not rules["beats the champion"]["passed"]
    assert "do not compare with those of version 1" in rules["beats the champion"]["figures"]


def test_what_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    documents(tmp_path)
    wrong = ("--set", "encoder.max_words=50")
    done = lslm("run", "walks.yaml", *wrong, home=tmp_path)
    assert done.returncode == 2
    assert "encoder.max_words" in done.stderr.splitlines()[-1]
    done = lslm("generate", "walks", home=tmp_path)
    assert done.returncode == 2
