"""`lslm predict` takes texts from arguments, a file or stdin, and prints rows or JSON lines."""

import json
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lslm import tracking
from lslm.cli import predict as command
from lslm.cli.app import app
from lslm.errors import InputError


class Parrot:
    @classmethod
    def load(cls, folder):
        assert folder == ("reviews", "champion")
        return cls()

    columns = ("label", "probability")

    def effects(self, texts):
        return [[(word, -0.25) for word in text.split()] for text in texts]

    def predict(self, texts, attention):
        labels = [t.split()[0] if t != "hm" else None for t in texts]
        answers = [{"label": label, "probability": 0.75} for label in labels]
        words = [{"attention": [(word, 0.5) for word in t.split()]} for t in texts]
        return [a | w for a, w in zip(answers, words, strict=True)] if attention else answers


@pytest.fixture(autouse=True)
def model(monkeypatch):
    registry = SimpleNamespace(download=lambda store, name, which: (name, which))
    monkeypatch.setattr(command, "opened", lambda *_: nullcontext())
    monkeypatch.setitem(sys.modules, "lslm.serving.predictor", SimpleNamespace(Predictor=Parrot))
    monkeypatch.setattr(tracking, "registry", registry, raising=False)
    monkeypatch.setitem(sys.modules, "lslm.tracking.registry", registry)


def predicted(*arguments, stdin=None):
    result = CliRunner().invoke(app, ["predict", "--model", "reviews", *arguments], input=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_texts_come_from_arguments_a_file_or_stdin(tmp_path):
    (tmp_path / "new.txt").write_text("good one\n\nbad one\n")
    expected = "good\t0.750\tgood one\nbad\t0.750\tbad one\n"
    assert predicted("good one", "bad one") == expected
    assert predicted("--file", str(tmp_path / "new.txt")) == expected
    assert predicted(stdin="good one\nbad one\n") == expected


@pytest.mark.parametrize("stdin", [True, False])
def test_lines_end_as_those_of_a_corpus_do(tmp_path, stdin):
    text = "good\x0ca\x85b\u2028c\r\n\r\nbad\n"
    (tmp_path / "new.txt").write_bytes(text.encode())
    arguments = [] if stdin else ["--file", str(tmp_path / "new.txt")]
    shown = predicted("--json", *arguments, stdin=text.encode() if stdin else None)
    texts = [json.loads(line)["text"] for line in shown.rstrip("\n").split("\n")]
    assert texts == ["good\x0ca\x85b\u2028c", "bad"]


@pytest.mark.parametrize("stdin", [True, False])
def test_what_is_not_utf_8_is_refused(tmp_path, stdin):
    content = "schön".encode("latin-1")
    (tmp_path / "new.txt").write_bytes(content)
    arguments = [] if stdin else ["--file", str(tmp_path / "new.txt")]
    given = CliRunner().invoke(app, ["predict", *arguments], input=content if stdin else None)
    assert isinstance(given.exception, InputError)
    assert given.exception.what == "not UTF-8 text"


def test_what_each_word_does_is_shown_when_asked_for():
    shown = predicted("--explain", "good one").splitlines()
    assert shown == [
        "good\t0.750\tgood one",
        f"\t-0.250\t{'█' * 10} good",
        f"\t-0.250\t{'█' * 10} one",
    ]
    told = json.loads(predicted("--explain", "--json", "good one"))
    assert told["effects"] == [["good", -0.25], ["one", -0.25]]


def test_an_answer_that_is_held_back_is_told():
    assert predicted("hm") == "(abstains)\t0.750\thm\n"
    assert json.loads(predicted("--json", "hm")) == {
        "text": "hm",
        "label": None,
        "probability": 0.75,
    }


def test_json_is_one_object_a_line_with_attention_on_request():
    (line,) = predicted("--json", "--attention", "gut ä").splitlines()
    assert json.loads(line) == {
        "text": "gut ä",
        "label": "gut",
        "probability": 0.75,
        "attention": [["gut", 0.5], ["ä", 0.5]],
    }
