"""`lslm generate`: go on with a text."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from lslm.cli import given
from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import TrackingOption, opened, reference

_SHOWN = 5


def generate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="NAME, NAME@ALIAS or NAME/VERSION.")
    ],
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="How the text begins.")] = "",
    tokens: Annotated[int, typer.Option(metavar="N", min=1, help="How many to write.")] = 50,
    temperature: Annotated[
        float,
        typer.Option(metavar="T", min=0, help="Below 1: likelier; 0: always the likeliest."),
    ] = 1.0,
    top_p: Annotated[
        float,
        typer.Option(
            metavar="P", max=1, help="Draw from the likeliest that have this chance together."
        ),
    ] = 1.0,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="The same one writes the same.")
    ] = 0,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a token.")] = False,
) -> None:
    """Go on with a text, by a registered language model; tokens are shown as they are drawn.

    The prompt is shown cleaned. Words of it that the model does not know are told on stderr, as the model reads
    them.

    \b
    Examples:
      lslm generate notes "The walk began" --tokens 50 --temperature 0.8 --top-p 0.9 --seed 1
      lslm generate notes@challenger --tokens 200
      lslm generate notes/3 "It was" --temperature 0 --json
    """
    prompt = given.argument(prompt)
    name, which = reference(model)
    with opened(workspace, tracking_uri) as store:
        from lslm.serving.writing import Sampling, Writer
        from lslm.tracking import registry

        sampling = Sampling(temperature, top_p)
        writer = Writer.load(registry.download(store, name, which))
    unknown = writer.unknown(prompt)
    if unknown:
        print(f"the model does not know: {_few(unknown)}", file=sys.stderr)
    if not as_json:
        print(writer.cleaned(prompt), end="", flush=True)
    for each in writer.write(prompt, tokens, sampling, seed):
        if as_json:
            said = {"token": each.token, "text": each.text, "probability": each.probability}
            print(json.dumps(said, ensure_ascii=False), flush=True)
        else:
            print(each.text, end="", flush=True)
    if not as_json:
        print()


def _few(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
