"""`lslm summarize`: the sentences that stand for a document."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lslm.cli import given
from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import TrackingOption, opened, reference
from lslm.errors import InputError

if TYPE_CHECKING:
    from lslm.heads.summarize.options import Length
    from lslm.serving.summarizing import Summary

_BAR = 20
"""Characters of a sentence that surely belongs to the summary."""
_SHOWN_WORDS = 5


def summarize(
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help="A file, - for stdin, or the text itself.")
    ],
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="NAME, NAME@ALIAS or NAME/VERSION.")
    ] = "docstrings",
    sentences: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="At most so many sentences.")
    ] = None,
    words: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="At most so many words.")
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0.001, max=1, help="At most this share of the words."),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Show each sentence's score, and the words most attended to."
        ),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the document with the summary highlighted."),
    ] = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Summarize a document with a registered model.

    Without --sentences, --words or --ratio the summary is as long as in training.

    \b
    Examples:
      lslm summarize report.txt --sentences 3
      lslm summarize report.txt --ratio 0.2 --html report.html
      cat report.txt | lslm summarize - --explain
    """
    text = _text(document)
    name, which = reference(model)
    with opened(workspace, tracking_uri) as store:
        from lslm.serving.predictor import Predictor
        from lslm.serving.summarizing import summarize as summarized
        from lslm.tracking import registry

        predictor = Predictor.load(registry.download(store, name, which))
        attends = (explain or html is not None) and predictor.attends
        length = _length(sentences, words, ratio)
        summary = summarized(predictor, text, length, attends)
    if html is not None:
        from lslm.cli.highlight import page

        title = Path(document).name if _is_file(document) else name
        html.write_text(page(summary, title), "utf-8")
    if as_json:
        print(json.dumps(asdict(summary), ensure_ascii=False))
    elif explain:
        _print_sentences(summary)
    else:
        print(summary.text)


def _text(document: str) -> str:
    if document == "-" or _is_file(document):
        return given.text(document)
    if _looks_like_a_path(document):
        raise InputError("no such file", where=document, right="a file, - or a text")
    return given.argument(document)


def _is_file(document: str) -> bool:
    try:
        return "\n" not in document and Path(document).is_file()
    except OSError:
        return False  # The system has no names as long as texts.


def _looks_like_a_path(document: str) -> bool:
    """Texts of scripts without spaces have none either; most names of files are ASCII."""
    return document.isascii() and " " not in document and ("." in document or "/" in document)


def _length(sentences: int | None, words: int | None, ratio: float | None) -> "Length | None":
    """None where the command line says nothing."""
    from lslm.heads.summarize.options import Length

    if sentences is None and words is None and ratio is None:
        return None
    return Length(n_sentences=sentences, words=words, ratio=ratio)


def _print_sentences(summary: "Summary") -> None:
    for sentence in summary.sentences:
        mark = "*" if sentence.chosen else " "
        bar = "█" * round(_BAR * sentence.score)
        print(f"{mark} {sentence.score:.3f} {bar:<{_BAR}} {sentence.text}")
        most = sorted(sentence.words, key=lambda pair: -pair[1])[:_SHOWN_WORDS]
        if most:
            print(f"{'':8}{' '.join(f'{word} ({weight:.2f})' for word, weight in most)}")
