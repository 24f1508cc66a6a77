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
        made.documents.touch(exist_ok=False)

    monkeypatch.setattr(pretraining, "documents", documents)
    monkeypatch.setattr(pretraining, "word_vectors", lambda made: made.vectors.mkdir())
    monkeypatch.setattr(pretraining, "language_models", lambda pool, made: made.read.mkdir())
    return pretraining


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_language_models_of_other_epochs_are_learned_beside_the_first(
    benchmark: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    made = [benchmark.learned(None, "imdb", folder, epochs, 50) for epochs in (1, 1, 2)]
    first, again, longer = (each.recipe().outside for each in made)
    assert first == again != longer
    expected = {"asked.json", "documents.parquet", "vectors", first.name, longer.name}
    assert names(folder) == expected


def test_a_folder_of_something_else_is_refused(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark.learned(None, "imdb", tmp_path / "kept", 1, 50)
    for name, n_reviews in (("imdb", 0), ("rotten-tomatoes", 50)):
        with pytest.raises(SystemExit, match="was made for .*'reviews': 50"):
            benchmark.learned(None, name, tmp_path / "kept", 1, n_reviews)
    changed = benchmark.load("imdb")
    embedding = changed.settings.embedding.model_copy(update={"epochs": 99})
    settings = changed.settings.model_copy(update={"embedding": embedding})
    with monkeypatch.context() as patched:
        patched.setattr(benchmark, "load", lambda name: type("Loaded", (), {"settings": settings}))
        with pytest.raises(SystemExit, match="was made for"):
            benchmark.learned(None, "imdb", tmp_path / "kept", 1, 50)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "documents.parquet").touch()
    with pytest.raises(SystemExit, match="something unknown"):
        benchmark.learned(None, "imdb", tmp_path / "other", 1, 50)
    assert names(tmp_path / "other") == {"documents.parquet"}


def test_what_an_interrupted_run_left_is_made_anew(benchmark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    benchmark.learned(None, "imdb", folder, 1, 50).vectors.rmdir()
    assert benchmark.learned(None, "imdb", folder, 1, 50).vectors.exists()


def test_a_fit_is_done_once_for_what_it_was_asked_for(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[Any] = []

    def accuracy(made: Any, asked: Any) -> float:
        fitted.append(asked)
        return 0.5 + len(fitted) / 100

    monkeypatch.setattr(benchmark, "accuracy", accuracy)
    made = benchmark.learned(None, "imdb", tmp_path / "kept", 1, 50)
    asked = [benchmark.Asked("imdb", 100, seed, "layer") for seed in (0, 1, 0)]
    found = [benchmark.kept(made, each) for each in asked]
    assert [each.accuracy for each in found] == [0.51, 0.52, 0.51]
    monkeypatch.setattr(benchmark, "STEPS", 50)
    assert benchmark.kept(made, asked[0]).accuracy == 0.53
    longer = benchmark.learned(None, "imdb", tmp_path / "kept", 2, 50)
    assert benchmark.kept(longer, asked[0]).accuracy == 0.54
