"""`lslm init`: a pipeline file for your own text."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lslm.errors import InputError

if TYPE_CHECKING:
    from lslm.pipelines.glance import Glance

_SHOWN = 10


def init(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSONL, Parquet, lines of text, or a folder of documents.")
    ],
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of the text.")] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of the label.")
    ] = None,
    summary: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of the summary: for a model that summarizes."),
    ] = None,
    language_model: Annotated[
        bool,
        typer.Option("--language-model", help="For a model of the language of the texts alone."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Pipeline file to write (NAME.yaml).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite it.")] = False,
) -> None:
    """Look at a file of text and write a pipeline file for it.

    \b
    Examples:
      lslm init reviews.csv
      lslm init reviews.csv --text review --label stars --output my.yaml
      lslm init reports.jsonl --text body --summary abstract
      lslm init tickets.csv --text message --language-model
    """
    from lslm.pipelines.glance import glance
    from lslm.pipelines.template import pipeline_name, render
    from lslm.workspace import write_atomic

    seen = glance(file, text, label, summary, language_model)
    target = output or Path(f"{pipeline_name(file)}.yaml")
    if target.exists() and not force:
        raise InputError("is there already", where=str(target), right="another --output or --force")
    path = os.path.relpath(file, target.parent)
    write_atomic(target, render(seen, Path(path).as_posix(), pipeline_name(file)).encode())
    _tell(seen, file)
    print(target)
    print(f"next: lslm run {target}", file=sys.stderr)


def _tell(seen: "Glance", file: Path) -> None:
    columns = f" ({', '.join(seen.columns)})" if seen.columns else ""
    shown = [f"{name} {count}" for name, count in list(seen.labels.items())[:_SHOWN]]
    more = len(seen.labels) - len(shown)
    labels = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    label = (
        f"label:  {seen.label}: {labels}" if seen.label else "label:  none found; name it: --label"
    )
    answer = "for a language model" if seen.language_model else label
    for line in (
        f"{file}: {seen.format}{columns}, looked at {seen.n_rows:,} rows",
        f"text:   {seen.text}, median {seen.median_words:g} words",
        f"summary: {seen.summary}" if seen.summary else answer,
    ):
        print(line, file=sys.stderr)
