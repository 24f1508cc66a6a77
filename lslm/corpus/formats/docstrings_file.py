"""Documentation strings of Python source: the summary line apart from what follows it."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from lslm.corpus.opening import Advance
from lslm.corpus.records import Malformed, Row

SUMMARY = "summary"
_NAMED = re.compile(r"^[A-Z][\w ]*:\s*$")
_UNDERLINE = re.compile(r"^[-=~^]{3,}\s*$")
_NO_PROSE = (">>>", "..", "- ", "* ", ":", "|", "@", "```", "#")
_FEWEST_WORDS = 30


def rows(path: Path, advance: Advance) -> Iterator[Row | Malformed]:
    """A row a documented class, function or module whose text goes on after the summary line.

    The text is the prose up to the first section, such as its parameters; what follows, and
    examples, are left out. Rows of one file belong together.
    """
    source = path.read_bytes()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        yield Malformed(1, f"not Python: {error}", "")
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            parts = _parts(ast.get_docstring(node, clean=True) or "")
            if parts is not None:
                summary, text = parts
                line = getattr(node, "lineno", 1)
                yield Row(line, text, group=str(path), extras={SUMMARY: summary})
    advance(len(source))


def _parts(docstring: str) -> tuple[str, str] | None:
    """The summary and the prose after it, a paragraph a line; None where there is too little.

    Example:
        >>> _parts("Add.\\n\\nOne.\\n\\nArgs:\\n  x: y") is None
        True
    """
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    summary = " ".join(paragraphs[0].split())
    prose: list[str] = []
    for paragraph in paragraphs[1:]:
        lines = paragraph.strip("\n").splitlines()
        if _begins_a_section(lines):
            break
        if lines and not lines[0].startswith((" ", "\t", *_NO_PROSE)):
            prose.append(" ".join(paragraph.split()))
    n_words = sum(len(each.split()) for each in prose)
    return (summary, "\n".join(prose)) if summary and n_words >= _FEWEST_WORDS else None


def _begins_a_section(lines: list[str]) -> bool:
    named = bool(lines) and bool(_NAMED.match(lines[0]))
    return named or (len(lines) > 1 and bool(_UNDERLINE.match(lines[1])))
