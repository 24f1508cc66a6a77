import json
from pathlib import Path

import polars as pl
import pytest

from lslm import progress
from lslm.cleaning import chain, shards
from lslm.cleaning.chain import clean
from lslm.settings import CleaningSettings, CorpusSettings, Settings, Source

COLUMNS = {
    "id": pl.Int64,
    "text": pl.String,
    "label": pl.String,
    "group": pl.Int64,
    "time": pl.String,
    "part": pl.String,
    "source": pl.String,
    "row": pl.Int64,
    "metadata": pl.String,
    "extras": pl.String,
    "fingerprint": pl.UInt64,
}
LONG = " ".join(f"word{i}" for i in range(60))


def made(folder: Path, files: dict[str, list[str]], **changes: object) -> Settings:
    """A pipeline over CSV files by part, with columns text, label and author."""
    sources = {}
    for part, rows in files.items():
        (folder / f"{part}.csv").write_text("\n".join(["text,label,author", *rows]) + "\n")
        sources["sources" if part == "corpus" else part] = (Source(path=f"{part}.csv"),)
    corpus = CorpusSettings.model_validate({**sources, **changes})
    return Settings(name="toy", corpus=corpus)


def run(folder: Path, settings: Settings, needs_label: bool = True):
    report = clean(settings, folder, folder / "cleaned", needs_label=needs_label)
    documents = pl.read_parquet(folder / "cleaned" / "documents" / "*.parquet")
    return report, documents, pl.read_parquet(folder / "cleaned" / "rejects.parquet")


def test_each_document_is_kept_or_rejected_with_a_reason(tmp_path):
    rows = [
        "So <b>good</b>!<br />Really,pos,",
        ",pos,",
        "no label here,,",
        "<p></p>,pos,",
        "too,many,cells,here",
        "SO GOOD! really,pos,",
        "so good! really,neg,",
        f'"{LONG}",neg,',
    ]
    report, documents, rejects = run(tmp_path, made(tmp_path, {"corpus": rows}))
    assert dict(documents.schema) == COLUMNS
    assert documents["text"].to_list() == ["So good!\nReally", LONG]
    assert documents["id"].to_list() == [0, 1]
    assert documents["row"].to_list() == [2, 9]
    assert rejects.select("row", "step", "reason").sort("row").rows() == [
        (3, "missing", "no text"),
        (4, "label", "no label"),
        (5, "length", "nothing left of the text"),
        (6, "read", "4 cells where the header has 3"),
        (7, "exact_duplicates", "duplicate"),
        (8, "exact_duplicates", "duplicate, other label"),
    ]
    assert (report["read"], report["kept"]) == (8, 2)
    assert report["labels"] == {"neg": 1, "pos": 1}
    assert report["steps"]["html"] == {"changed": 2, "rejected": 0}
    assert report["steps"]["exact_duplicates"] == {"changed": 0, "rejected": 2}
    assert len(report["rejects"]) == 6
    assert json.loads((tmp_path / "cleaned" / "report.json").read_text()) == report


def test_labels_are_not_asked_for_where_the_head_needs_none(tmp_path):
    settings = made(tmp_path, {"corpus": ["some text,,"]})
    assert run(tmp_path, settings, needs_label=False)[1]["label"].to_list() == [None]


def test_near_duplicates_are_kept_in_one_group(tmp_path):
    rows = [f"{LONG},a,", "something else,a,", f"{LONG} indeed,b,"]
    report, documents, _ = run(tmp_path, made(tmp_path, {"corpus": rows}))
    assert documents["group"].to_list() == [0, 1, 0]
    assert (report["near_duplicate_groups"], report["near_duplicate_documents"]) == (1, 2)


def test_user_groups_and_near_duplicates_are_united(tmp_path):
    rows = [f"{LONG},a,ann", "one thing,a,ann", f"{LONG} indeed,a,bob", "other,a,bob", "last,a,"]
    _, documents, _ = run(tmp_path, made(tmp_path, {"corpus": rows}, group="author"))
    assert documents["group"].to_list() == [0, 0, 0, 0, 1]


def test_near_duplicates_can_be_left_alone(tmp_path):
    settings = made(tmp_path, {"corpus": [f"{LONG},a,", f"{LONG} indeed,a,"]})
    settings = settings.model_copy(update={"cleaning": CleaningSettings(near_duplicates=None)})
    assert run(tmp_path, settings)[1]["group"].to_list() == [0, 1]


def test_nothing_of_the_given_holdout_stays_elsewhere(tmp_path):
    files = {
        "corpus": [f"{LONG} indeed,a,", "in the holdout,b,", "only here,a,"],
        "holdout": [f"{LONG},a,", "In the holdout,a,", "in the holdout,a,"],
        "outside": ["in the holdout,,", "only here,,", f"{LONG} too,,", "free,,"],
    }
    _, documents, rejects = run(tmp_path, made(tmp_path, files))
    kept = documents.select("part", "text").rows()
    assert kept == [
        ("holdout", LONG),
        ("holdout", "In the holdout"),
        ("holdout", "in the holdout"),
        ("corpus", "only here"),
        ("outside", "free"),
    ]
    assert documents["group"].to_list() == [0, 1, 1, 2, 3]
    assert rejects.select("source", "row", "reason").sort("source", "row").rows() == [
        ("corpus.csv", 2, chain._LEAKED),
        ("corpus.csv", 3, "also in the given holdout"),
        ("outside.csv", 2, "also in the given holdout"),
        ("outside.csv", 3, "also in the corpus"),
        ("outside.csv", 4, chain._LEAKED),
    ]


def test_outside_text_keeps_no_near_duplicate_of_the_corpus(tmp_path):
    files = {
        "corpus": [f"{LONG},a,", "only here,a,"],
        "outside": [f"{LONG} indeed,,", f"{LONG} indeed too,,", "only here,,", "free,,", "free!,,"],
    }
    report, documents, rejects = run(tmp_path, made(tmp_path, files))
    kept = [("corpus", LONG), ("corpus", "only here"), ("outside", "free"), ("outside", "free!")]
    assert documents.select("part", "text").rows() == kept
    assert rejects.select("row", "step").sort("row").rows() == [
        (2, "near_duplicates"),
        (3, "near_duplicates"),
        (4, "exact_duplicates"),
    ]
    assert report["reasons"] == {
        "also in the corpus": 1,
        "in one group with a document of the corpus": 2,
    }
    assert report["steps"]["near_duplicates"]["rejected"] == 2


def test_a_corpus_that_is_its_own_outside_text_stays_whole(tmp_path):
    rows = [f"{LONG},a,", f"{LONG} indeed,b,", "other words,a,", "no label,,"]
    settings = made(tmp_path, {"corpus": rows}, outside=(Source(path="corpus.csv"),))
    _, documents, _ = run(tmp_path, settings)
    assert documents.select("part", "text").rows() == [
        ("corpus", LONG),
        ("corpus", f"{LONG} indeed"),
        ("corpus", "other words"),
        ("outside", "no label"),
    ]


def test_shards_and_batches_change_nothing(tmp_path, monkeypatch):
    rows = [f"text {i % 150} {i % 150 * 7} {i % 150 * 3},a," for i in range(200)]
    settings = made(tmp_path, {"corpus": rows})
    clean(settings, tmp_path, tmp_path / "whole")
    monkeypatch.setattr(shards, "_SHARD", 2000)
    monkeypatch.setattr(chain, "_BATCH", 300)
    clean(settings, tmp_path, tmp_path / "parts")
    whole, parts = (
        pl.read_parquet(tmp_path / name / "documents" / "*.parquet") for name in ("whole", "parts")
    )
    assert len(list((tmp_path / "parts" / "documents").iterdir())) > 3
    assert whole.equals(parts)
    assert whole.height == 150


def test_the_same_input_gives_the_same_bytes_and_leaves_nothing_else(tmp_path):
    settings = made(tmp_path, {"corpus": [f"{LONG},a,", "x,b,"]})
    for name in ("one", "two"):
        clean(settings, tmp_path, tmp_path / name)
    files = [
        sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in ("one", "two")
    ]
    assert [p.read_bytes() for p in files[0]] == [p.read_bytes() for p in files[1]]
    assert {p.name for p in tmp_path.iterdir()} == {"corpus.csv", "one", "two"}


def test_a_corpus_without_documents_has_a_report_and_no_shards(tmp_path):
    settings = made(tmp_path, {"corpus": []})
    report = clean(settings, tmp_path, tmp_path / "cleaned")
    assert report["kept"] == 0
    assert list((tmp_path / "cleaned" / "documents").iterdir()) == []


class Recorder:
    def __init__(self) -> None:
        self.total: float | None = None
        self.done = 0.0

    def stage(self, name: str) -> None: ...

    def say(self, text: str) -> None: ...

    def start(self, name: str, total: float | None, unit: str, limit: float | None):
        self.total = total
        return self

    def stop(self, bar: progress.Bar) -> None: ...

    def advance(self, amount: float = 1.0) -> None:
        self.done += amount

    def note(self, text: str) -> None: ...


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_bar_ends_full(tmp_path, suffix):
    frame = pl.DataFrame({"text": [f"text {i}" for i in range(3000)], "label": ["a"] * 3000})
    path = tmp_path / f"a{suffix}"
    {".csv": frame.write_csv, ".jsonl": frame.write_ndjson, ".parquet": frame.write_parquet}[
        suffix
    ](path)
    recorder = Recorder()
    with progress.shown_on(recorder):
        settings = Settings(name="toy", corpus=CorpusSettings(sources=(Source(path=path.name),)))
        clean(settings, tmp_path, tmp_path / "cleaned")
    assert recorder.done == pytest.approx(path.stat().st_size, rel=0.01)
    assert recorder.total == path.stat().st_size
