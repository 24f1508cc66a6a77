"""A pipeline whose first recurrent layer was pretrained, from documents to the registry and the audit."""

import json
from pathlib import Path

import pytest

from tests.flows.tiny import PIPELINE, lslm, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PRETRAINING = """
pretraining: {language_model: true, epochs: 2, batch_size: 8, window: 12, sampled_words: 0}
"""
SETTINGS = {
    "corpus:": "corpus:\n  outside: [{path: more.txt, format: lines}]",
    "training: {epochs: 2,": "training: {epochs: 3, unfreeze_epochs: 1, layer_decay: 0.5,",
    "space: {encoder.units: [4, 8]}": "space: {training.layer_decay: [0.3, 0.5]}",
    "evaluation: {folds: 2,": "evaluation: {folds: 2, curve: [], seeds: 1, explained: 0,",
}


def pipeline(folder: Path) -> None:
    """The tiny pipeline, with text from outside to learn to read from."""
    written(folder)
    lines = [f"A film about a thing, with part {i} of number {i * 3}" for i in range(60)]
    (folder / "more.txt").write_text("\n".join(lines), encoding="utf-8")
    text = PIPELINE
    for before, after in SETTINGS.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "tiny.yaml").write_text(text + PRETRAINING, encoding="utf-8")


def test_from_outside_text_to_a_registered_model(tmp_path: Path) -> None:
    pipeline(tmp_path)
    done = lslm("run", "tiny.yaml", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["embedding"]["language_models"].keys() == {"forward"}
    assert "pretrain-language-model" in report["seconds"]

    again = lslm("run", "tiny.yaml", home=tmp_path)
    assert (again.returncode, again.stderr) == (0, "nothing changed since the last run\n")
    planned = lslm("plan", "tiny.yaml", "--cost", "--set", "pretraining.epochs=3", home=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "pretrain-language-model" in planned.stdout
    audited = lslm("audit", "leakage", "tiny.yaml", "--refit", home=tmp_path)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert "language model" in audited.stdout
    reproduced = lslm("reproduce", report["run_id"], home=tmp_path)
    assert reproduced.returncode == 0, reproduced.stdout + reproduced.stderr
