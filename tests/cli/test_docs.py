"""Commands quoted in the documentation exist, with the options they are quoted with."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from lslm.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("mlflow/*.md")])
_BLOCK = re.compile(r"```(?:sh|bash|console)\n(.*?)```", re.DOTALL)


def quoted(page: Path) -> list[str]:
    """Lines of shell blocks, a leading `$ ` and continuations taken away."""
    blocks = "\n".join(_BLOCK.findall(page.read_text(encoding="utf-8")))
    lines = blocks.replace("\\\n", " ").splitlines()
    return [line.strip().removeprefix("$ ") for line in lines if line.strip()]


def parts(line: str) -> list[list[str]]:
    """The commands of a line, apart at pipes and `&&`, without comments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if set(word) <= set("|&;"):
            commands.append([])
        elif set(word) <= set("<>"):
            next(words, None)
        else:
            commands[-1].append(word)
    return commands


COMMANDS = [
    pytest.param(command[1:], id=f"{page.name}: {' '.join(command)}")
    for page in PAGES
    for line in quoted(page)
    for command in parts(line)
    if command and command[0] == "lslm"
]
TARGETS = [
    pytest.param(command[1], id=f"{page.name}: {' '.join(command)}")
    for page in PAGES
    for line in quoted(page)
    for command in parts(line)
    if len(command) > 1 and command[0] == "make"
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_quoted_command_parses(arguments):
    group = typer.main.get_command(app)
    with group.make_context("lslm", [*arguments], resilient_parsing="--help" in arguments) as above:
        if not above.args and not above._protected_args:
            return
        name, command, rest = group.resolve_command(above, [*above._protected_args, *above.args])
        assert command is not None, f"no command {name}"
        command.make_context(name, rest, parent=above).close()


@pytest.mark.parametrize("target", TARGETS)
def test_a_quoted_make_target_exists(target):
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", ["lslm rnu", "lslm run --bugdet 5m"])
def test_a_wrong_command_would_be_noticed(command):
    with pytest.raises(typer._click.exceptions.UsageError):
        test_a_quoted_command_parses(parts(command)[0][1:])
