"""`lslm generate` prints tokens as they are drawn, and `lslm score` the perplexity of lines."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from lslm import tracking
from lslm.cli.app import app
from lslm.errors import InputError
from lslm.heads.language_model.cache import Cache
from lslm.serving import remembering, scoring, writing
from lslm.serving.perplexities import Perplexities
from lslm.serving.remembering import Remembered
from lslm.serving.scoring import Scored
from lslm.serving.writing import Sampling, Written

ASKED: list[tuple] = []


class Model:
    @classmethod
    def load(cls, folder: tuple[str, str]) -> "Model":
        assert folder == ("notes", "champion")
        return cls()

    def unknown(self, prompt: str) -> list[str]:
        return [word for word in prompt.split() if word.isupper()]

    def cleaned(self, prompt: str) -> str:
        return " ".join(prompt.split())

    def write(self, prompt: str, n: int, sampling: Sampling, seed: int) -> Iterator[Written]:
        ASKED.append((prompt, n, sampling, seed))
        return (Written(word, f" {word}", 0.5) for word in ("came", "home"))


def scored(folder: tuple[str, str], texts: list[str]) -> Scored:
    """The longer, the stranger."""
    lines = tuple({"perplexity": float(len(t)), "tokens": 2, "nats": 1.0} for t in texts)
    return Scored(lines, 2 * len(texts), 7.5)


def remembered(folder: tuple[str, str], texts: list[str], held_out: list[str]) -> Remembered:
    """Cheaper than without by one."""
    assert held_out == ["held", "out"]
    cheaper = Perplexities(tuple(len(t) - 1.0 for t in texts), 6.5)
    return Remembered(Cache(2000, 0.3, 0.1), cheaper)


def adapted(folder: tuple[str, str], texts: list[str], held_out: list[str]) -> SimpleNamespace:
    """Cheaper than without by two. What it is made of needs Keras, which no command may import early."""
    assert held_out == ["held", "out"]
    cheaper = Perplexities(tuple(len(t) - 2.0 for t in texts), 5.5)
    return SimpleNamespace(pace=SimpleNamespace(rate=1e-4, decay=0.01), perplexities=cheaper)


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = SimpleNamespace(download=lambda store, name, which: (name, which))
    for command in ("generate", "score"):
        module = sys.modules[f"lslm.cli.{command}"]
        monkeypatch.setattr(module, "opened", lambda *_: nullcontext())
    monkeypatch.setattr(writing, "Writer", Model)
    monkeypatch.setattr(scoring, "score_lines", scored)
    monkeypatch.setattr(remembering, "score_remembering", remembered)
    adapting = SimpleNamespace(score_adapting=adapted)
    monkeypatch.setitem(sys.modules, "lslm.serving.adapting", adapting)
    monkeypatch.setattr(tracking, "registry", registry, raising=False)
    monkeypatch.setitem(sys.modules, "lslm.tracking.registry", registry)


def asked(*arguments: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def test_the_text_goes_on_from_the_prompt() -> None:
    options = ("--tokens", "9", "--temperature", "0.8", "--top-p", "0.9", "--seed", "3")
    assert asked("generate", "notes", "the fox", *options).stdout == "the fox came home\n"
    assert ASKED[-1] == ("the fox", 9, Sampling(0.8, 0.9), 3)


def test_the_prompt_is_shown_cleaned() -> None:
    found = asked("generate", "notes", " the   fox ")
    assert (found.stdout, found.stderr) == ("the fox came home\n", "")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_words_that_the_model_does_not_know_are_told_on_stderr(options: tuple[str, ...]) -> None:
    found = asked("generate", "notes", "the ABC fox DE", *options)
    assert found.stderr == "the model does not know: ABC, DE\n"
    assert "does not" not in found.stdout
    many = asked("generate", "notes", " ".join("ABCDEFG"), *options)
    assert many.stderr == "the model does not know: A, B, C, D, E and 2 more\n"


def test_each_token_is_one_object() -> None:
    lines = asked("generate", "notes", "--json").stdout.splitlines()
    assert json.loads(lines[0]) == {"token": "came", "text": " came", "probability": 0.5}
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("option", "given", "what"),
    [
        ("--top-p", "0", "top-p of 0"),
        ("--temperature", "inf", "inf is no temperature"),
    ],
)
def test_chances_that_mean_nothing_are_refused(option: str, given: str, what: str) -> None:
    found = asked("generate", "notes", option, given)
    assert isinstance(found.exception, InputError)
    assert found.exception.what == what
    assert found.stdout == ""


def test_lines_are_told_with_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\nlonger\n", encoding="utf-8-sig")
    found = asked("score", "notes", str(tmp_path / "a.txt"))
    assert found.stdout == "3.00\t1\tone\n6.00\t3\tlonger\n"
    assert found.stderr == "2 lines, 4 tokens: perplexity 7.50\n"


@pytest.mark.parametrize("stdin", [True, False])
def test_lines_end_as_those_of_a_corpus_do(tmp_path: Path, stdin: bool) -> None:
    """At line feeds alone: not at form feeds, next lines, line separators or carriage returns inside."""
    text = "a\x0cb\x85c\u2028d\re\r\n\r\nlast"
    file = tmp_path / "a.txt"
    file.write_bytes(text.encode())
    given = CliRunner().invoke(
        app,
        ["score", "notes", "-" if stdin else str(file), "--json"],
        input=text.encode() if stdin else None,
    )
    # The runner makes line ends alike; as JSON they are all there.
    rows = [json.loads(line) for line in given.stdout_bytes.decode().split("\n")[:-1]]
    assert [(row["line"], row["text"]) for row in rows] == [
        (1, "a\x0cb\x85c\u2028d\re"),
        (3, "last"),
    ]


def test_the_strangest_come_first_when_asked_for() -> None:
    found = asked("score", "notes", "-", "--most", "1", "--json", stdin="one\nlonger\n")
    assert json.loads(found.stdout) == {
        "line": 2,
        "perplexity": 6.0,
        "tokens": 2,
        "nats": 1.0,
        "text": "longer",
    }


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "holds no text"), (b"\xff\xfe\x00", "not UTF-8 text")]
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    found = asked("score", "notes", str(tmp_path / "a.txt"))
    assert isinstance(found.exception, InputError)
    assert found.exception.what == said


@pytest.mark.parametrize("option", ["--cache", "--dynamic"])
def test_the_lines_that_are_scored_are_not_held_out(tmp_path: Path, option: str) -> None:
    file, same = tmp_path / "lines.txt", tmp_path / "same.txt"
    file.write_text("four\nfiver\n", encoding="utf-8")
    same.write_text("four\n\nfiver", encoding="utf-8")
    turned, one, more = (tmp_path / name for name in ("turned.txt", "one.txt", "more.txt"))
    turned.write_text("fiver\nfour", encoding="utf-8")
    one.write_text("fiver", encoding="utf-8")
    more.write_text("four\nfiver\nlonger", encoding="utf-8")
    for held_out in (file, same, turned, one, more):
        found = asked("score", "notes", str(file), option, str(held_out))
        assert isinstance(found.exception, InputError)
        assert found.exception.what == "the held-out lines are those that are scored"
        assert found.exception.where == str(held_out)


def test_lines_that_are_both_scored_and_held_out_are_counted(tmp_path: Path) -> None:
    file, held_out = tmp_path / "lines.txt", tmp_path / "held-out.txt"
    file.write_text("held\nfiver\nfiver\n", encoding="utf-8")
    held_out.write_text("held\nout\n", encoding="utf-8")
    told = asked("score", "notes", str(file), "--cache", str(held_out)).stderr.splitlines()
    assert told[0] == f"1 of 2 different lines that are scored stand in {held_out} too"


def test_text_comes_through_a_pipe_as_well(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_text, args=("one\n",))
    writing.start()
    assert asked("score", "notes", str(pipe)).stdout == "3.00\t1\tone\n"
    writing.join()


def test_a_cache_and_dynamic_evaluation_are_told_apart_and_rank_nothing(tmp_path: Path) -> None:
    file, held_out = tmp_path / "lines.txt", tmp_path / "held-out.txt"
    file.write_text("four\nfiver\n", encoding="utf-8")
    held_out.write_text("held\nout\n", encoding="utf-8")
    apart = ("--cache", str(held_out), "--dynamic", str(held_out))
    found = asked("score", "notes", str(file), "--json", *apart)
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    names = ("perplexity", "perplexity_with_cache", "perplexity_dynamic")
    assert [tuple(row[name] for name in names) for row in rows] == [(4, 3, 2), (5, 4, 3)]
    plain, cached, dynamic = found.stderr.splitlines()
    assert plain.endswith("perplexity 7.50")
    assert "with a cache of 2,000 tokens: perplexity 6.50 (share 0.1, flatness 0.3" in cached
    assert "with dynamic evaluation: perplexity 5.50 (rate 0.0001, decay 0.01, chosen" in dynamic
    alone = asked("score", "notes", str(file), "--json", "--dynamic", str(held_out)).stdout
    assert "perplexity_with_cache" not in alone
    assert "perplexity_" not in asked("score", "notes", str(file), "--json").stdout
