"""The plain way gets the same documents as ours."""

from pathlib import Path

import polars as pl

from benchmarks.plain_search import Corpus, Job


def side(folder: Path, text: str, max_tokens: int | None) -> list[int]:
    """One document, as the network takes it, beside a longer one; its words are a to f."""
    documents = folder / "documents.parquet"
    pl.DataFrame({"text": [text, "f f f f f f f"], "label": ["x", "y"]}).write_parquet(documents)
    none: dict[str, object] = {}
    job = Job(
        documents=str(documents),
        vectors="",
        answer="",
        training=[],
        validation=[],
        folds=[],
        space=none,
        start=none,
        n_trials=1,
        epochs=1,
        batch_size=1,
        clip_norm=1.0,
        max_tokens=max_tokens,
    )
    return Corpus(job).side([0], list("abcdef")).tokens[0].tolist()


def test_a_long_document_keeps_its_head_and_its_tail(tmp_path: Path) -> None:
    assert side(tmp_path, "a b c d e f", max_tokens=4) == [2, 3, 6, 7]


def test_a_short_one_is_padded_to_the_longest_of_all(tmp_path: Path) -> None:
    assert side(tmp_path, "a b", max_tokens=None) == [0, 0, 0, 0, 0, 2, 3]
