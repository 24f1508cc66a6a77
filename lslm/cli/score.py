"""`lslm score`: how unexpected each line of a file is to a language model."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lslm.cli import given
from lslm.cli.options import WorkspaceOption
from lslm.cli.registry import TrackingOption, opened, reference
from lslm.errors import InputError

if TYPE_CHECKING:
    from lslm.serving.perplexities import Perplexities


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
    dynamic: Annotated[
        str | None,
        typer.Option(
            metavar="HELD_OUT",
            help="Tell the perplexity with dynamic evaluation as well, at the pace that makes this "
            "text file cheapest.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    tracking_uri: TrackingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Tell the perplexity of each line of a file: the higher, the less a language model expects it.

    Each line is read on its own, its end is predicted too, and empty lines are left out. All lines
    together are told on stderr. With a cache, words of earlier lines are likelier in later ones; with
    dynamic evaluation the model learns from each line once it is scored. These perplexities are told
    apart and change nothing else.

    \b
    Examples:
      lslm score tickets new-tickets.txt --most 20
      lslm score tickets new-tickets.txt --cache old-tickets.txt --dynamic old-tickets.txt
      cat new-tickets.txt | lslm score tickets@challenger - --json > scores.jsonl
    """
    lines = _lines(file)
    ways = [(held, way) for held, way in ((cache, _with_cache), (dynamic, _dynamically)) if held]
    held_out = [_held_out(held, lines) for held, _ in ways]
    name, which = reference(model)
    with opened(workspace, tracking_uri) as store:
        from lslm.serving.scoring import score_lines
        from lslm.tracking import registry

        folder, texts = registry.download(store, name, which), _texts(lines)
        scored = score_lines(folder, texts)
        apart = [way(folder, texts, held) for (_, way), held in zip(ways, held_out, strict=True)]
    rows: list[dict[str, Any]] = [
        {"line": number, **answer, "text": text}
        for (number, text), answer in zip(lines, scored.lines, strict=True)
    ]
    for each in apart:
        for row, perplexity in zip(rows, each.perplexities.each, strict=True):
            row[each.name] = perplexity
    if ranked or most is not None:
        rows = sorted(rows, key=lambda row: -row["perplexity"])[:most]
    for row in rows:
        print(json.dumps(row, ensure_ascii=False) if as_json else _told(row))
    print(
        f"{len(lines):,} lines, {scored.n_tokens:,} tokens: perplexity {scored.perplexity:.2f}",
        file=sys.stderr,
    )
    for (held, _), each in zip(ways, apart, strict=True):
        print(
            f"{each.way}: perplexity {each.perplexities.together:.2f} "
            f"({each.settings}, chosen on {held})",
            file=sys.stderr,
        )


@dataclass(frozen=True)
class _Apart:
    """Perplexities by another way of reading."""

    name: str
    """In JSON."""
    way: str
    settings: str
    perplexities: "Perplexities"


def _with_cache(folder: Path, texts: Sequence[str], held_out: Sequence[str]) -> _Apart:
    from lslm.serving.remembering import score_remembering

    found = score_remembering(folder, texts, held_out)
    return _Apart(
        "perplexity_with_cache",
        f"with a cache of {found.cache.window:,} tokens",
        f"share {found.cache.share:g}, flatness {found.cache.flatness:g}",
        found.perplexities,
    )


def _dynamically(folder: Path, texts: Sequence[str], held_out: Sequence[str]) -> _Apart:
    from lslm.serving.adapting import score_adapting

    found = score_adapting(folder, texts, held_out)
    return _Apart(
        "perplexity_dynamic",
        "with dynamic evaluation",
        f"rate {found.pace.rate:g}, decay {found.pace.decay:g}",
        found.perplexities,
    )


def _texts(lines: Sequence[tuple[int, str]]) -> Sequence[str]:
    return [text for _, text in lines]


def _held_out(file: str, scored: Sequence[tuple[int, str]]) -> Sequence[str]:
    """The lines of a held-out file; InputError where one of both files holds all lines of the other.

    How many of the scored lines are held out too, as the same line may well come twice, is told on stderr.
    """
    texts = _texts(_lines(file))
    held, others = set(texts), set(_texts(scored))
    if others <= held or others >= held:
        raise InputError(
            "the held-out lines are those that are scored", where=file, right="another text file"
        )
    if both := len(others & held):
        print(
            f"{both:,} of {len(others):,} different lines that are scored stand in {file} too",
            file=sys.stderr,
        )
    return texts


def _lines(file: str) -> Sequence[tuple[int, str]]:
    """Lines that are not empty with their numbers, from 1."""
    lines = given.lines(file)
    if not lines:
        raise InputError("holds no text", where=file, right="one line or more")
    return lines


def _told(row: dict[str, Any]) -> str:
    return f"{row['perplexity']:.2f}\t{row['line']}\t{row['text']}"
