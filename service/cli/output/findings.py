"""Prints what a result keeps, changes and lacks: the kept in one line, each change and each loss in its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from service.cli.output import tables
from service.cli.output.lines import say
from service.client import Finding

_STYLES = {"kept": "green", "changed": "yellow", "lost": "red"}


def print_findings(findings: Sequence[Finding]) -> None:
    """Prints nothing where nothing is known."""
    kept = dict.fromkeys(one.code.replace("_", " ") for one in findings if one.kind == "kept")
    if kept:
        say(f"Kept: {', '.join(kept)}.")
    for label, kind in (("Changed", "changed"), ("Lost", "lost")):
        for one in findings:
            if one.kind == kind:
                say(f"{label}: {one.text}")
    if kept and all(one.kind != "lost" for one in findings):
        say("Lost: nothing.")


def print_table(findings: Sequence[Mapping[str, Any]]) -> None:
    """Prints one finding a line: the property, what became of it, and the sentence."""
    table = Table(box=None, pad_edge=False)
    for name in ("Property", "", "What became of it"):
        table.add_column(name, no_wrap=name != "What became of it")
    for one in findings:
        kind = str(one["kind"])
        table.add_row(
            str(one["code"]).replace("_", " "), Text(kind, style=_STYLES.get(kind, "")), one["text"]
        )
    tables.print_table(table)
