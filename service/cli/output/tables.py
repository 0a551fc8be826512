"""Prints tables of words that others chose: file names, and what a video says of itself."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 500
"""Columns of a table that no terminal shows: programs get each row on one line."""


def print_table(table: Table) -> None:
    """Prints every cell as it is: nothing in brackets or between colons is taken for a style, a link or a picture."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(width=width, markup=False, emoji=False).print(table)
