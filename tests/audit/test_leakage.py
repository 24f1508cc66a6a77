"""Leaks are planted one at a time into a finished pipeline; each is found, by the check for it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.audit import canary, everything, refit
from lslm.audit.evidence import Case, Evidence
from lslm.audit.findings import Finding, passed
from lslm.cleaning.fingerprint import fingerprint
from lslm.evaluation import answers
from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import temperature
from lslm.evaluation.candidate import in_place_of_network
from lslm.serving import kept, model_folder
from lslm.serving.model_folder import Description, ModelFolder
from lslm.settings import Settings
from lslm.text.tokenizers import tokenizer
from lslm.text.vocabulary import Vocabulary
from lslm.training import fitted
from lslm.training.parts import Part
from tests.audit.conftest import SETTINGS, evidence_of, fit_part, write_data

Plant = Callable[[Path], Evidence]
LEAKS: list[tuple[Plant, str, str, str]] = []


def leak(check: str, looked_at: str, says: str) -> Callable[[Plant], Plant]:
    def registered(plant: Plant) -> Plant:
        LEAKS.append((plant, check, looked_at, says))
        return plant

    return registered


def rewrite(path: Path, row: int, **values: object) -> None:
    """Change cells of one row; the fingerprint follows the text."""
    frame = pl.read_parquet(path)
    if "text" in values and "fingerprint" not in values:
        values["fingerprint"] = fingerprint(str(values["text"]))
    for name, value in values.items():
        column = frame[name].to_list()
        column[row] = value
        frame = frame.with_columns(pl.Series(name, column, dtype=frame[name].dtype))
    frame.write_parquet(path)


def text_of(path: Path, row: int) -> str:
    return pl.read_parquet(path)["text"][row]


def part_of(evidence: Evidence, name: str):
    return next(part for part in evidence.parts if part.name == name)


@leak("exact duplicates", "development, holdout", "1 documents stand in development and holdout")
def holdout_document_in_development(root: Path) -> Evidence:
    evidence = evidence_of(root)
    rewrite(evidence.development, 3, text=text_of(evidence.holdout, 0))
    return evidence


@leak("exact duplicates", "holdout, outside", "1 documents stand in holdout and outside")
def holdout_document_in_the_outside_text(root: Path) -> Evidence:
    evidence = evidence_of(root)
    rewrite(root / "outside.parquet", 0, text=text_of(evidence.holdout, 0))
    return evidence


@leak("recorded fingerprints", "every text, hashed again", "not those that were fingerprinted")
def holdout_text_under_another_fingerprint(root: Path) -> Evidence:
    evidence = evidence_of(root)
    rewrite(evidence.development, 3, text=text_of(evidence.holdout, 0), fingerprint=7)
    return evidence


@leak("near duplicates", "development, holdout", "films.csv:")
def near_duplicate_of_the_holdout(root: Path) -> Evidence:
    evidence = evidence_of(root)
    long = " ".join(f"w{i}" for i in range(60))
    rewrite(evidence.development, 3, text=f"{long} indeed")
    rewrite(evidence.holdout, 0, text=long)
    return evidence


@leak("near duplicates", "both sides of 3 cuts of development", "across fold 1")
def near_duplicates_across_a_fold(root: Path) -> Evidence:
    evidence = evidence_of(root)
    fold = part_of(evidence, "fold 1")
    long = " ".join(f"w{i}" for i in range(60))
    rewrite(evidence.development, int(fold.training[0]), text=f"{long} indeed")
    rewrite(evidence.development, int(fold.validation[0]), text=long)
    return evidence


@leak("groups", "development, holdout", "groups on both sides")
def group_on_both_sides(root: Path) -> Evidence:
    evidence = evidence_of(root)
    rewrite(evidence.holdout, 0, group=int(pl.read_parquet(evidence.development)["group"][0]))
    return evidence


@leak("document numbers", "development, holdout, outside", "numbers given to two documents: 0")
def one_number_for_two_documents(root: Path) -> Evidence:
    evidence = evidence_of(root)
    rewrite(evidence.development, 0, id=0)
    rewrite(evidence.holdout, 0, id=0)
    return evidence


@leak("rows held back", "fold 1", "groups on both sides")
def group_across_a_fold(root: Path) -> Evidence:
    evidence = evidence_of(root)
    fold = part_of(evidence, "fold 1")
    group = pl.read_parquet(evidence.development)["group"]
    rewrite(evidence.development, int(fold.validation[0]), group=int(group[int(fold.training[0])]))
    return evidence


@leak("rows held back", "fold 1", "rows trained on and held back")
def row_on_both_sides_of_a_fold(root: Path) -> Evidence:
    evidence = evidence_of(root)
    return replace(
        evidence,
        parts=tuple(
            replace(part, training=np.sort(np.append(part.training, part.validation[0])))
            if part.name == "fold 1"
            else part
            for part in evidence.parts
        ),
    )


@leak("folds cover", "validation rows", "1 documents are held back by no fold")
def document_that_no_fold_holds_back(root: Path) -> Evidence:
    evidence = evidence_of(root)
    return replace(
        evidence,
        parts=tuple(
            replace(part, validation=part.validation[1:]) if part.name == "fold 1" else part
            for part in evidence.parts
        ),
    )


def refitted_with_validation_rows(root: Path) -> Evidence:
    evidence = evidence_of(root)
    fold = part_of(evidence, "fold 1")
    shutil.rmtree(fold.folder)
    fit_part(
        root, "fold 1", np.sort(np.append(fold.training, fold.validation[:2])), fold.validation
    )
    return evidence


for kind in ("vocabulary", "vectors", "targets"):
    leak("documents read", f"fold 1: {kind}", "read 2 documents of the validation part")(
        refitted_with_validation_rows
    )


def with_files_of_all_rows(root: Path, *names: str) -> Evidence:
    """Some files fitted on everything, beside notes that say otherwise."""
    evidence = evidence_of(root)
    for name in names:
        shutil.copy(root / "final" / name, root / "fold 1" / name)
    return evidence


@leak("words", "fold 1", "words that no training row has: ")
def vocabulary_of_all_rows(root: Path) -> Evidence:
    return with_files_of_all_rows(
        root, "vocabulary.json", "vectors.npy", fitted.COUNTS, fitted.VECTOR_COUNTS
    )


@leak("word counts", "fold 1: vocabulary", "such as 'a': ")
def vocabulary_counted_on_validation_rows(root: Path) -> Evidence:
    evidence = evidence_of(root)
    counts = np.load(root / "fold 1" / fitted.COUNTS)
    counts[2] += 1
    np.save(root / "fold 1" / fitted.COUNTS, counts)
    return evidence


@leak("model", "temperature and threshold", "by out-of-fold answers")
def temperature_fitted_on_the_holdout(root: Path) -> Evidence:
    file = root / "model" / model_folder.DESCRIPTION
    description = Description.model_validate_json(file.read_text())
    file.write_text(description.model_copy(update={"temperature": 1.5}).model_dump_json())
    model_folder.write_manifest(root / "model")
    return evidence_of(root)


@leak("word counts", "final: vectors", "are counted more or less often")
def vectors_counted_with_holdout_text(root: Path) -> Evidence:
    evidence = evidence_of(root)
    vocabulary = Vocabulary.load(root / "final" / "vocabulary.json")
    counts = np.load(root / "final" / fitted.VECTOR_COUNTS)
    for text in pl.read_parquet(evidence.holdout)["text"]:
        np.add.at(counts, vocabulary.encode(tokenizer(evidence.settings.text)(text)), 1)
    np.save(root / "final" / fitted.VECTOR_COUNTS, counts)
    return evidence


@leak("word counts", "outside vectors", "counts differ from the outside text for: ")
def outside_vectors_of_more_text(root: Path) -> Evidence:
    counts = np.load(root / "vectors" / "counts.npy")
    np.save(root / "vectors" / "counts.npy", counts + 1)
    return evidence_of(root)


@leak("scaling", "fold 1: vectors", "scaled by other words")
def vectors_scaled_by_other_words(root: Path) -> Evidence:
    vectors = np.load(root / "fold 1" / "vectors.npy")
    np.save(root / "fold 1" / "vectors.npy", vectors * 1.1)
    return evidence_of(root)


@leak("targets", "fold 2", "fitted anew on the training rows they differ")
def label_of_the_holdout_alone(root: Path) -> Evidence:
    targets = {"labels": ["neg", "neutral", "pos"]}
    (root / "fold 2" / "targets.json").write_text(json.dumps(targets))
    return evidence_of(root)


@leak("examples", "fold 1: training", "examples for 4")
def network_given_all_rows(root: Path) -> Evidence:
    for name in ("training.i32", "training.i64", "training-targets.npy"):
        shutil.copy(root / "final" / name, root / "fold 1" / name)
    return evidence_of(root)


@leak("examples", "fold 1: validation", "are not the documents of their rows")
def scored_on_rows_trained_on(root: Path) -> Evidence:
    evidence = evidence_of(root)
    fold = part_of(evidence, "fold 1")
    seen = fold.training[: len(fold.validation)]
    other = fit_part(root, "other", fold.training, seen)
    for name in ("validation.i32", "validation.i64"):
        shutil.copy(other / name, fold.folder / name)
    return evidence


@leak("rows scored", "fold 1", "answers were made with other validation rows")
def answers_for_other_rows(root: Path) -> Evidence:
    part = Part(root / "fold 2")
    shutil.rmtree(root / "answers" / "fold 1")
    given = Answers(
        part.validation.targets,
        answers.load(root / "answers" / "fold 2").outputs,
        part.targets,
        part.report,
    )
    answers.save(root / "answers" / "fold 1", given)
    return evidence_of(root)


@leak("tokens", "development, tokenized again", "rows with tokens of another text: 3")
def tokens_of_another_text(root: Path) -> Evidence:
    store = root / "development-tokens"
    offsets = np.fromfile(store / "offsets.i64", np.int64)
    flat = np.fromfile(store / "tokens.i32", np.int32)
    flat[offsets[3]] = flat[offsets[4] - 2]
    flat.tofile(store / "tokens.i32")
    return evidence_of(root)


@leak("model", "vocabulary", "words that were never fitted: ")
def final_vocabulary_with_holdout_words(root: Path) -> Evidence:
    words = [*Vocabulary.load(root / "model" / "vocabulary.json").words, "heldout"]
    Vocabulary(words).save(root / "model" / "vocabulary.json")
    (root / "model" / model_folder.MANIFEST).unlink()
    model_folder.write_manifest(root / "model")
    return evidence_of(root)


@leak("model", "documents trained on", "1 of them are in the holdout")
def model_trained_on_a_holdout_document(root: Path) -> Evidence:
    seen = np.load(root / "model" / model_folder.SEEN)
    held = pl.read_parquet(root / "holdout.parquet")["fingerprint"].to_numpy()[:1]
    np.save(root / "model" / model_folder.SEEN, np.sort(np.append(seen, held)))
    (root / "model" / model_folder.MANIFEST).unlink()
    model_folder.write_manifest(root / "model")
    return evidence_of(root)


def with_baseline(root: Path, **changes: object) -> Evidence:
    """As `registry.candidate: best` leaves it, where the majority would be best."""
    model = ModelFolder(root / "model")
    kept.save(root / "bare", model, "majority", [1.0])
    for each in evidence_of(root).answers:
        given = answers.load(each)
        unsure = np.sqrt(given.outputs["network"])
        outputs = {**given.outputs, "majority": unsure / unsure.sum(axis=1, keepdims=True)}
        shutil.rmtree(each)
        answers.save(each, replace(given, outputs=outputs))
    folds = in_place_of_network(
        [answers.load(each) for each in evidence_of(root).answers], "majority"
    )
    fitted = {"temperature": temperature(heads.get("classify"), folds)}
    model_folder.describe(root / "bare", root / "baseline", fitted | changes)
    return replace(evidence_of(root), baseline=root / "baseline")


@leak("baseline", "temperature and threshold", "by out-of-fold answers")
def temperature_of_a_baseline_that_was_fitted_elsewhere(root: Path) -> Evidence:
    return with_baseline(root, temperature=1.7)


@leak("baseline", "manifest", "the file was changed")
def baseline_changed_after_it_was_made(root: Path) -> Evidence:
    found = with_baseline(root)
    (root / "baseline" / kept.BASELINE).write_bytes(b"another")
    return found


@leak("model", "manifest", "the file was changed")
def model_changed_after_it_was_made(root: Path) -> Evidence:
    (root / "model" / "vocabulary.json").write_text('["<pad>", "<unk>", "heldout"]')
    return evidence_of(root)


@leak("recorded digests", "files of all stages", "holdout.parquet is not what was recorded")
def holdout_exchanged_after_the_split(root: Path) -> Evidence:
    evidence = evidence_of(root)
    pl.read_parquet(evidence.holdout).head(5).write_parquet(evidence.holdout)
    return evidence


def the(findings: list[Finding], check: str, looked_at: str) -> Finding:
    (finding,) = [f for f in findings if (f.check, f.looked_at) == (check, looked_at)]
    return finding


def test_a_baseline_that_was_put_forward_is_looked_at(root: Path):
    findings = everything.examine(with_baseline(root))
    assert passed(findings)
    assert {each.looked_at for each in findings if each.check == "baseline"} == {
        "documents trained on",
        "temperature and threshold",
        "files of a known kind",
    }


def test_a_clean_pipeline_is_found_clean(finished: Path):
    findings = everything.examine(evidence_of(finished))
    assert [f for f in findings if f.result not in ("ok", "note")] == []
    assert all(f.n > 0 for f in findings)


@pytest.mark.parametrize(
    ("plant", "check", "looked_at", "says"),
    LEAKS,
    ids=[f"{plant.__name__} {looked_at}" for plant, _, looked_at, _ in LEAKS],
)
def test_a_planted_leak_is_found(root: Path, plant: Plant, check: str, looked_at: str, says: str):
    findings = everything.examine(plant(root))
    finding = the(findings, check, looked_at)
    assert finding.result == "leak"
    assert says in finding.detail
    assert not passed(findings)


def test_a_part_without_notes_is_no_pass(root: Path):
    (root / "fold 1" / fitted.FITTED).unlink()
    findings = everything.examine(evidence_of(root))
    assert the(findings, "documents read", "fold 1").result == "unproven"
    assert not passed(findings)


def test_notes_that_were_changed_are_no_pass(root: Path):
    for path in (root / "fold 1").glob("fitted-*.npy"):
        np.save(path, np.load(path)[:-1])
    findings = everything.examine(evidence_of(root))
    assert the(findings, "documents read", "fold 1").result == "unproven"


def test_fitted_again_on_training_rows_alone_every_part_is_the_same(finished: Path):
    findings = list(refit.check(Case(evidence_of(finished))))
    assert [(f.looked_at, f.result) for f in findings] == [
        ("search", "ok"),
        ("fold 1", "ok"),
        ("fold 2", "ok"),
        ("final", "ok"),
    ]


def test_vectors_of_more_rows_with_honest_looking_notes_are_found_by_fitting_again(root: Path):
    evidence = evidence_of(root)
    vectors = np.load(root / "fold 1" / "vectors.npy")
    vectors[5, 0] += np.float32(1e-5)
    np.save(root / "fold 1" / "vectors.npy", vectors)
    findings = {f.looked_at: f for f in refit.check(Case(evidence))}
    assert findings["fold 1"].result == "leak"
    assert "vectors.npy depends on more than the training rows" in findings["fold 1"].detail
    assert findings["fold 2"].result == "ok"


def canary_of(folder: Path, **changes: object) -> list[Finding]:
    write_data(folder)
    return canary.check(Settings.model_validate(SETTINGS | changes), folder, most=500)


@pytest.mark.parametrize("tokenizer_name", ["words", "characters"])
def test_the_canary_reaches_nothing(tmp_path: Path, tokenizer_name: str):
    findings = canary_of(tmp_path, text={"tokenizer": tokenizer_name})
    assert [f.looked_at for f in findings if f.result != "ok"] == []
    assert (
        "planted in 24 documents of the holdout, in 24" in the(findings, "canary", "holdout").detail
    )


def test_the_canary_of_a_given_holdout_reaches_nothing(tmp_path: Path):
    held = [f"A good film held{i}, seen in {2000 + i * 3}.,pos" for i in range(8)]
    (tmp_path / "held.csv").write_text(
        "text,label\n" + "\n".join(f'"{line[:-4]}",pos' for line in held)
    )
    corpus = {**SETTINGS["corpus"], "holdout": [{"path": "held.csv"}]}
    findings = canary_of(tmp_path, corpus=corpus)
    assert passed(findings)
    assert the(findings, "canary", "holdout").n == 8


def test_the_canary_finds_a_part_fitted_on_its_validation_rows(tmp_path: Path, monkeypatch):
    def leaking(*, rows, **rest):
        training, validation = rows
        return honest(rows=(np.append(training, validation), validation), **rest)

    honest = canary.prepare
    monkeypatch.setattr(canary, "prepare", leaking)
    findings = canary_of(tmp_path)
    for name in ("search", "fold 1", "fold 2"):
        finding = the(findings, "canary", name)
        assert finding.result == "leak"
        assert f"the word planted in the {name} part is in vocabulary.json" in finding.detail


def test_the_canary_finds_a_development_set_with_the_holdout_in_it(tmp_path: Path, monkeypatch):
    def leaking(cleaned, settings, into, **rest):
        report = honest(cleaned, settings, into, **rest)
        if settings.corpus.holdout:
            sides = [
                pl.read_parquet(into / f"{name}.parquet") for name in ("development", "holdout")
            ]
            pl.concat(sides).write_parquet(into / "development.parquet")
        return report

    honest = canary.splitting.split
    monkeypatch.setattr(canary.splitting, "split", leaking)
    findings = canary_of(tmp_path)
    assert the(findings, "canary", "cleaning").result == "leak"
    finding = the(findings, "canary", "final")
    assert finding.result == "leak"
    assert "the word planted in the holdout part is in vocabulary.json" in finding.detail


def test_a_canary_that_could_not_have_been_seen_is_no_pass(tmp_path: Path, monkeypatch):
    def blind(frame, words, rows):
        return frame

    monkeypatch.setattr(canary, "_with_fold_words", blind)
    findings = canary_of(tmp_path)
    assert the(findings, "canary", "words of training rows are seen").result == "unproven"
    assert not passed(findings)
