"""`lslm score`: how unexpected each line of a file is to a language model."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import TrackingOption, opened, reference
from lslm.errors import InputError


def score(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="NAME, NAME@ALIAS or NAME/VERSION.")
    ],
    file: Annotated[str, typer.Argument(metavar="FILE", help="A text file, - for stdin.")],
    most: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the N most unexpected lines.")
    ] = None,
    ranked: Annotated[
        bool, typer.Option("--ranked", help="The most unexpected lines first.")
    ] = False,
    cache: Annotated[
        str | None,
        typer.Option(
            metavar="HELD_OUT",
            help="Tell the perplexity with a cache as well, set so that this text file is cheapest.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Tell the perplexity of each line of a file: the higher, the less a language model expects it.

    Each line is read on its own, its end is predicted too, and empty lines are left out. All lines
    together are told on stderr. With a cache, words of earlier lines are likelier in later ones; that
    perplexity is told apart and changes nothing else.

    \b
    Examples:
      lslm score tickets new-tickets.txt --most 20
      cat new-tickets.txt | lslm score tickets@challenger - --json > scores.jsonl
    """
    lines, held_out = _lines(file), _lines(cache) if cache else []
    name, which = reference(model)
    with opened(workspace, tracking_uri) as store:
        from lslm.serving.remembering import score_remembering
        from lslm.serving.scoring import score_lines
        from lslm.tracking import registry

        folder, texts = registry.download(store, name, which), [text for _, text in lines]
        scored = score_lines(folder, texts)
        remembered = (
            score_remembering(folder, texts, [text for _, text in held_out]) if cache else None
        )
    rows: list[dict[str, Any]] = [
        {"line": number, **answer, "text": text}
        for (number, text), answer in zip(lines, scored.lines, strict=True)
    ]
    if remembered:
        for row, perplexity in zip(rows, remembered.perplexities, strict=True):
            row["perplexity_with_cache"] = perplexity
    if ranked or most is not None:
        rows = sorted(rows, key=lambda row: -row["perplexity"])[:most]
    for row in rows:
        print(json.dumps(row, ensure_ascii=False) if as_json else _told(row))
    print(
        f"{len(lines):,} lines, {scored.n_tokens:,} tokens: perplexity {scored.perplexity:.2f}",
        file=sys.stderr,
    )
    if remembered:
        found = remembered.cache
        print(
            f"with a cache of {found.window:,} tokens: perplexity {remembered.perplexity:.2f} "
            f"(share {found.share:g}, flatness {found.flatness:g}, chosen on {cache})",
            file=sys.stderr,
        )


def _lines(file: str) -> Sequence[tuple[int, str]]:
    """Lines that are not empty with their numbers, from 1."""
    if file == "-":
        text = sys.stdin.read()
    elif not Path(file).is_file():
        raise InputError("no such file", where=file, right="a text file, or -")
    else:
        try:
            text = Path(file).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError("not UTF-8 text", where=file, right="a text file") from None
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise InputError("holds no text", where=file, right="one line or more")
    return lines


def _told(row: dict[str, Any]) -> str:
    return f"{row['perplexity']:.2f}\t{row['line']}\t{row['text']}"
