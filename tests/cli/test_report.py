"""`lslm report` finds the page of a run or a version, and says what there is where there is none."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lslm.cli.app import app
from lslm.errors import InputError
from lslm.settings import Settings
from lslm.tracking import runs
from lslm.tracking.store import connect
from lslm.workspace import Workspace

PAGE = "<!doctype html><title>films</title>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A workspace with a run that left a page, and one that did not."""
    home = tmp_path_factory.mktemp("report")
    settings = Settings(name="films", workspace=home)
    store = connect(settings, Workspace(home).create())
    found = []
    for name, pages in (("done", {"report.html": PAGE}), ("begun", {"notes.txt": "none"})):
        run_id = runs.open_run(store, settings, digests={"corpus": name}, name=name)
        runs.log_stage(store, run_id, "report", {}, pages)
        found.append(run_id)
    return home, found[0], found[1]


def asked(home: Path, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["report", *arguments, "--workspace", str(home)])


def test_the_path_of_the_page_is_printed(place):
    home, done, _ = place
    result = asked(home, done)
    assert result.exit_code == 0
    path = Path(result.stdout.strip())
    assert path.read_text() == PAGE
    assert path.is_relative_to(home)


def test_the_page_is_written_where_it_is_wanted(place, tmp_path):
    home, done, _ = place
    result = asked(home, done, "--output", str(tmp_path / "films.html"))
    assert result.stdout.strip() == str(tmp_path / "films.html")
    assert (tmp_path / "films.html").read_text() == PAGE


@pytest.mark.parametrize(
    ("which", "said"), [("begun", "left no report"), ("0" * 32, "no run"), ("nobody", "no model")]
)
def test_what_has_no_page_is_told(place, which, said):
    home, _, begun = place
    result = asked(home, begun if which == "begun" else which)
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)


def test_a_folder_that_is_not_there_is_refused_before_anything_is_fetched(place):
    home, done, _ = place
    result = asked(home, done, "--output", "/nowhere/films.html")
    assert "no such folder" in str(result.exception)


def test_a_name_with_a_quote_is_no_model(place):
    home, _, _ = place
    result = asked(home, "it's")
    assert isinstance(result.exception, InputError)
    assert """no model "it's" is registered""" in result.exception.what
