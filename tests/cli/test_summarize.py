"""`lslm summarize` takes a file, stdin or a text, and prints a summary, scores, JSON or a page."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lslm import tracking
from lslm.cli import summarize as command
from lslm.cli.app import app
from lslm.errors import InputError
from lslm.serving import summarizing
from lslm.serving.summarizing import Sentence, Summary


class Model:
    attends = True

    @classmethod
    def load(cls, folder: tuple[str, str]) -> "Model":
        assert folder == ("notes", "champion")
        return cls()


ASKED: list[tuple] = []


def first(predictor: Model, text: str, length: object, attention: bool) -> Summary:
    """The first sentence, whatever was asked."""
    ASKED.append((text, length, attention))
    pieces = text.strip().split(". ")
    words = (("word", 0.75), ("other", 0.25)) if attention else ()
    return Summary(pieces[0], tuple(Sentence(p, 0.5, i == 0, words) for i, p in enumerate(pieces)))


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = SimpleNamespace(download=lambda store, name, which: (name, which))
    monkeypatch.setattr(command, "opened", lambda *_: nullcontext())
    monkeypatch.setitem(sys.modules, "lslm.serving.predictor", SimpleNamespace(Predictor=Model))
    monkeypatch.setattr(summarizing, "summarize", first)
    monkeypatch.setattr(tracking, "registry", registry, raising=False)
    monkeypatch.setitem(sys.modules, "lslm.tracking.registry", registry)


def summarized(*arguments: str, stdin: str | None = None) -> str:
    result = CliRunner().invoke(app, ["summarize", "--model", "notes", *arguments], input=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_file_with_a_long_path_is_read_and_chinese_is_no_path(tmp_path: Path) -> None:
    folder = tmp_path / ("очень длинное имя " * 5) / ("и ещё одно " * 8)
    folder.mkdir(parents=True)
    (folder / "a b.txt").write_text("One is. Two")
    assert summarized(str(folder / "a b.txt")) == "One is\n"
    assert summarized("价格是3.5元。我们走吧。") == "价格是3.5元。我们走吧。\n"


def test_bytes_that_are_no_text_are_refused() -> None:
    result = CliRunner().invoke(app, ["summarize", "--model", "notes", "caf\udce9 au lait"])
    assert isinstance(result.exception, InputError)
    assert "caf? au lait: not UTF-8 text" in str(result.exception)


def test_the_document_is_a_file_stdin_or_the_argument_itself(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One is. Two", encoding="utf-8-sig")
    assert summarized(str(tmp_path / "a.txt")) == "One is\n"
    assert summarized("-", stdin="One is. Two") == "One is\n"
    assert summarized("One is. Two") == "One is\n"


@pytest.mark.parametrize("stdin", [True, False])
def test_a_document_that_is_not_utf_8_is_refused(tmp_path: Path, stdin: bool) -> None:
    content = "Schön. Gut".encode("latin-1")
    (tmp_path / "a.txt").write_bytes(content)
    document = "-" if stdin else str(tmp_path / "a.txt")
    found = CliRunner().invoke(app, ["summarize", document], input=content if stdin else None)
    assert isinstance(found.exception, InputError)
    assert found.exception.what == "not UTF-8 text"


def test_length_is_what_the_options_say() -> None:
    summarized("a b", "--sentences", "3")
    summarized("a b", "--words", "50", "--ratio", "0.2")
    summarized("a b")
    lengths = [length for _, length, _ in ASKED[-3:]]
    assert [getattr(each, "n_sentences", "?") for each in lengths] == [3, None, "?"]
    assert (lengths[1].words, lengths[1].ratio) == (50, 0.2)


def test_scores_and_words_are_shown_when_asked_for() -> None:
    shown = summarized("One is. Two", "--explain").splitlines()
    assert shown[0].split() == ["*", "0.500", "█" * 10, "One", "is"]
    assert shown[1].split() == ["word", "(0.75)", "other", "(0.25)"]
    assert shown[2].split() == ["0.500", "█" * 10, "Two"]


def test_json_is_one_object() -> None:
    said = json.loads(summarized("One is. Two", "--json"))
    assert said["text"] == "One is"
    assert said["sentences"][1] == {"text": "Two", "score": 0.5, "chosen": False, "words": []}


def test_the_page_highlights_the_summary_and_shows_markup_as_text(tmp_path: Path) -> None:
    summarized("One <b>is</b>. Two", "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text("utf-8")
    assert '<mark title="score 0.500">One &lt;b&gt;is&lt;/b&gt;</mark>' in page
    assert '<span title="score 0.500">Two</span>' in page
    assert "<b>" not in page


def test_a_file_that_is_not_there_is_not_taken_for_a_text(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["summarize", "--model", "notes", str(tmp_path / "no.txt")])
    assert isinstance(result.exception, InputError)
    assert result.exception.what == "no such file"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF\xff\xfe\x00")
    result = CliRunner().invoke(app, ["summarize", "--model", "notes", str(tmp_path / "a.pdf")])
    assert isinstance(result.exception, InputError)
    assert result.exception.what == "not UTF-8 text"
