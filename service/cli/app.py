"""The ``cdvd`` command.

``service.cli.commands`` declares the commands with their options, ``service.cli.actions`` does what they ask for.
Commands import their action when they run, so that ``cdvd --help`` loads no web stack.

Exit codes are in ``service.cli.exits``; one line on stderr says why it is not 0.
"""

from __future__ import annotations

import os
import sys
from http import HTTPStatus
from types import TracebackType
from typing import Annotated

import typer
from typer.main import get_command

from service.cli.commands import api_keys, jobs
from service.cli.commands.deblur import deblur
from service.cli.commands.doctor import doctor
from service.cli.commands.estimate import estimate
from service.cli.commands.replay import replay
from service.cli.commands.triton import triton
from service.cli.commands.up import up
from service.cli.commands.verify import verify
from service.cli.interrupts import second_ends_at_once
from service.errors.base import ServiceError

DEBUG_VARIABLE = "CDVD_DEBUG"
NO_TELEMETRY = ("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime from 1.29 on reports to its maker unless this is set before it loads; every child inherits it."""

EPILOG = (
    "Exit codes: 0 success; 1 a job failed, or something here is missing; 2 wrong usage; 3 refused: no video, no such "
    "job, not permitted; 4 no answer, or not now: try later; 5 timed out; 10 verified, with changes; "
    "130 interrupted; 143 terminated."
    "\n\n"
    "CDVD_URL is the service that commands talk to, CDVD_KEY the key that they show it. `cdvd --install-completion` "
    "teaches your shell to complete commands, options and job ids."
)

app = typer.Typer(
    name="cdvd",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",  # otherwise the breaks of a docstring's lines end those of its help as well
    pretty_exceptions_enable=False,
)

app.command()(deblur)
app.command()(up)
app.command()(doctor)
app.command()(verify)
app.command()(replay)
app.command()(triton)
app.command("webhook-secret")(api_keys.webhook_secret)
app.add_typer(api_keys.commands, name="keys")
app.add_typer(jobs.commands)
app.command(rich_help_panel=jobs.PANEL)(estimate)


def _print_version(wanted: bool) -> None:
    if wanted:
        from service.cli.output.lines import say
        from service.distribution import installed

        found = installed()
        say(f"cdvd {found.version}" + (f" ({found.commit})" if found.commit else ""))
        raise typer.Exit


@app.callback()
def cdvd(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Make blurred videos sharper."""


def _one_line(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """Reports an error that nobody foresaw, as the excepthook; Python exits with 1 after it."""
    from service.cli.output.lines import complain

    complain(f"Unexpected {kind.__name__}: {error} (Set {DEBUG_VARIABLE}=1 for the traceback.)")


def _about_keys(error: Exception) -> str:
    """Returns where the command line takes the key from that the service asked for."""
    from service.client.http.transport import KEY_VARIABLE

    if getattr(error, "status", None) != HTTPStatus.UNAUTHORIZED:
        return ""
    sent = "is not valid there" if os.environ.get(KEY_VARIABLE) else "is not set"
    return f" The command line sends the key in {KEY_VARIABLE}, which {sent}."


def main() -> None:
    """Runs the command line; every deliberate error becomes one line on stderr."""
    os.environ.setdefault(*NO_TELEMETRY)
    if not os.environ.get(DEBUG_VARIABLE):
        sys.excepthook = _one_line
    try:
        with second_ends_at_once():
            get_command(app)(prog_name="cdvd")  # calling app itself would install its own excepthook
    except (ServiceError, OSError) as error:
        from service.cli.exits import error_json, exit_code
        from service.cli.output.lines import complain, say_json_line

        complain(f"{error}{_about_keys(error)}")
        if "--json" in sys.argv:
            say_json_line({"error": error_json(error)})
        sys.exit(exit_code(error))
