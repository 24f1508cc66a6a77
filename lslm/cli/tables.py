"""Rows as a plain table on stdout."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PIPE_WIDTH = 200


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their column names, without lines around them."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*map(escape, row))
    # A pipe has no width of its own.
    Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)
