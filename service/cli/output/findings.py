"""Prints what a result keeps, changes and lacks: the kept in one line, each change and each loss in its own."""

from __future__ import annotations

from collections.abc import Sequence

from service.cli.output.lines import say
from service.client import Finding


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
