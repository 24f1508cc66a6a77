"""`lslm predict`: ask a registered model."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lslm.cli import given
from lslm.cli.options import DEFAULT, WorkspaceOption
from lslm.cli.registry import TrackingOption, opened, reference
from lslm.errors import InputError

_BAR = 40
"""Characters of a word that got all the attention."""


def predict(
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Texts; without any, lines of stdin."),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="NAME, NAME@ALIAS or NAME/VERSION.")
    ] = DEFAULT,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read texts from a file, one a line.")
    ] = None,
    attention: Annotated[
        bool, typer.Option("--attention", help="Show how much weight each word got.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Show what each word does to the answer: what leaving it out changes."
        ),
    ] = False,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Label texts with a registered model.

    \b
    Examples:
      lslm predict "a small film with a big heart"
      lslm predict --model rotten-tomatoes/2 --attention "dull , but never boring"
      lslm predict --explain "dull , but never boring"
      lslm predict --file new.txt --json > labels.jsonl
    """
    asked = _texts(texts or [], file)
    name, which = reference(model)
    with opened(workspace, tracking_uri) as store:
        from lslm.serving.predictor import Predictor
        from lslm.tracking import registry

        predictor = Predictor.load(registry.download(store, name, which))
        answers = predictor.predict(asked, attention)
        if explain:
            effects = predictor.effects(asked)
            answers = [
                answer | {"effects": each} for answer, each in zip(answers, effects, strict=True)
            ]
    for text, answer in zip(asked, answers, strict=True):
        if as_json:
            print(json.dumps({"text": text, **answer}, ensure_ascii=False))
        else:
            _print_row(text, answer, predictor.columns)


def _texts(arguments: Sequence[str], file: Path | None) -> list[str]:
    if arguments and file is not None:
        raise InputError("texts and --file together", right="one of the two")
    if arguments:
        return [given.argument(text) for text in arguments]
    if file is not None:
        return _lines(str(file))
    if sys.stdin.isatty():
        raise InputError("no text", right="texts as arguments, --file FILE, or lines on stdin")
    return _lines("-")


def _lines(file: str) -> list[str]:
    return [line for _, line in given.lines(file)]


def _print_row(text: str, answer: dict[str, Any], columns: Sequence[str]) -> None:
    print("\t".join([*(_cell(answer[column]) for column in columns), text]))
    for word, weight in answer.get("attention", ()):
        print(f"\t{weight:.3f}\t{'█' * round(_BAR * weight)} {word}")
    for word, effect in answer.get("effects", ()):
        print(f"\t{effect:+.3f}\t{'█' * round(_BAR * abs(effect))} {word}")


def _cell(value: object) -> str:
    if value is None:
        return "(abstains)"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
