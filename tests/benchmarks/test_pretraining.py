"""What is kept for the next time is taken for what it was made for, and for nothing else."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, which learns nothing here: it makes the folders of what it would learn."""
    # It sets numbers of threads, so it is imported where they are put back.
    from benchmarks import pretraining

    def documents(made: Any, n_reviews: int) -> None:
        made.documents.touch()
        (made.folder / "vectors").mkdir()

    monkeypatch.setattr(pretraining, "documents", documents)
    monkeypatch.setattr(pretraining, "Tokens", lambda folder: [])
    monkeypatch.setattr(pretraining, "language_models", lambda pool, made: made.read.mkdir())
    return pretraining


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_language_models_of_other_epochs_are_learned_beside_the_first(
    benchmark: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    for epochs in (1, 1, 2):
        made = benchmark.learned(None, "imdb", folder, epochs, 50)
        assert made.recipe().outside == folder / f"read-{epochs}"
    assert names(folder) == {"asked.json", "documents.parquet", "vectors", "read-1", "read-2"}


def test_a_folder_of_something_else_is_refused(benchmark: Any, tmp_path: Path) -> None:
    benchmark.learned(None, "imdb", tmp_path / "kept", 1, 50)
    for name, n_reviews in (("imdb", 0), ("rotten-tomatoes", 50)):
        with pytest.raises(SystemExit, match="was made for .*'reviews': 50"):
            benchmark.learned(None, name, tmp_path / "kept", 1, n_reviews)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "documents.parquet").touch()
    with pytest.raises(SystemExit, match="something unknown"):
        benchmark.learned(None, "imdb", tmp_path / "other", 1, 50)
    assert names(tmp_path / "other") == {"documents.parquet"}
