"""``cdvd doctor``."""

from __future__ import annotations

import typer

from service.cli.exits import Exit
from service.cli.options import JsonFlag, Models


def doctor(models: Models = None, as_json: JsonFlag = False) -> None:
    """Tell what this machine has, and how to get what is missing; exits 1 if that is something required."""
    from service.cli.actions.doctor import examine, healthy, print_report

    findings = examine(models)
    print_report(findings, as_json=as_json)
    if not healthy(findings):
        raise typer.Exit(Exit.FAILED)
