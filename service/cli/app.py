"""The ``cdvd`` command.

Exit codes are in ``service.cli.exits``; one line on stderr says why it is not 0.

Commands import what they run when they run it, so that ``cdvd --help`` loads no web stack.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer
from typer.main import get_command

from service.cli import api_keys
from service.cli.commands import commands
from service.cli.exits import Exit
from service.cli.options import (
    End,
    Fields,
    Force,
    JsonFlag,
    ModelName,
    Models,
    OwnUrl,
    Start,
    Strict,
    VideosIn,
    form_fields,
)
from service.errors.base import ServiceError
from service.types import Engine

DEFAULT_PORT = 8080
DEFAULT_DATA = Path("cdvd-data")
"""The same as that of ``CDVD_DATA``."""
DEBUG_VARIABLE = "CDVD_DEBUG"
NO_TELEMETRY = ("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime from 1.29 on reports to its maker unless this is set before it loads; every child inherits it."""

EPILOG = (
    "Exit codes: 0 success; 1 a job failed, or something here is missing; 2 wrong usage; 3 refused: no video, no such "
    "job, not permitted; 4 no answer, or not now: try later; 5 timed out; 130 interrupted; 143 terminated."
    "\n\n"
    "CDVD_URL is the service that commands talk to, CDVD_KEY the key that they show it. `cdvd --install-completion` "
    "teaches your shell to complete commands, options and job ids."
)

app = typer.Typer(
    name="cdvd",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(commands)
app.add_typer(api_keys.commands, name="keys")
app.command("webhook-secret")(api_keys.webhook_secret)


def _print_version(wanted: bool) -> None:
    if wanted:
        from service.cli.console import say
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


@app.command()
def up(  # noqa: PLR0913  # one parameter per option
    data: Annotated[
        Path, typer.Option(help="Jobs and videos are kept here.", file_okay=False)
    ] = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = DEFAULT_PORT,
    models: Models = None,
    model: ModelName = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            envvar="CDVD_ENGINE",
            help="What restores windows. For triton, a server from PyPI is started unless CDVD_TRITON_URLS is set.",
        ),
    ] = None,
    allow_unauthenticated: Annotated[
        bool, typer.Option(help="Listen on other addresses than loopback without any check of who asks.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from service.cli.up import serve
    from service.embedded import EmbeddedOptions

    base = EmbeddedOptions()
    options = EmbeddedOptions(
        host=host,
        port=port,
        data=data,
        models=models or base.models,
        model=model or base.model,
        engine=engine,
        allow_unauthenticated=allow_unauthenticated,
    )
    serve(options, as_json=as_json)


@app.command()
def triton(
    models: Models = None,
    grpc_port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8001,
    http_port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    metrics_port: Annotated[int, typer.Option(min=0, max=65535)] = 8002,
    directory: Annotated[
        Path | None, typer.Option(help="Where the server is kept; ~/.cache/cdvd/triton.", file_okay=False)
    ] = None,
    install_only: Annotated[bool, typer.Option("--install", help="Only fetch it.")] = False,
) -> None:
    """Run a Triton for this machine, on its processors, until Ctrl-C; it is fetched from PyPI if need be."""
    from service.cli import triton as command
    from service.local.triton.install import cache_directory
    from service.local.triton.server import TritonPorts

    install = command.fetch(directory or cache_directory())
    if not install_only:
        command.serve(install, models, TritonPorts(http_port, grpc_port, metrics_port))


@app.command()
def deblur(  # noqa: PLR0913  # one parameter per option
    sources: VideosIn,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="A file for one video, else a directory."),
    ] = None,
    model: ModelName = None,
    start: Start = None,
    end: End = None,
    strict: Strict = False,
    more: Fields = None,
    force: Force = False,
    parallel: Annotated[int, typer.Option(help="Videos at the service at a time.", min=1)] = 2,
    url: OwnUrl = None,
    models: Models = None,
    as_json: JsonFlag = False,
) -> None:
    """Deblur videos, and all videos in directories. Results are beside them, as IN_deblurred.mp4, unless OUT is named.

    What has a result is skipped, and what fails does not stop the others; 0 means that every video has one.
    """
    from service.cli.batch import plan

    items = plan(sources, output, force=force)
    fields = form_fields(
        {"model": model, "start": start, "end": end, "strict": "true" if strict else None}, more
    )

    from service.cli.deblur import Request
    from service.cli.deblur import deblur as run

    raise typer.Exit(run(Request(items, fields, url, models, parallel), as_json=as_json))


@app.command()
def doctor(models: Models = None, as_json: JsonFlag = False) -> None:
    """Tell what this machine has, and how to get what is missing; exits 1 if that is something required."""
    from service.cli.doctor import examine, healthy, print_report

    findings = examine(models)
    print_report(findings, as_json=as_json)
    if not healthy(findings):
        raise typer.Exit(Exit.FAILED)


def _one_line(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """The excepthook for errors nobody foresaw: Python exits with 1 after it."""
    from service.cli.console import complain

    complain(f"unexpected {kind.__name__}: {error} (set {DEBUG_VARIABLE}=1 for the traceback)")


def main() -> None:
    """Run the command line; every deliberate error becomes one line on stderr."""
    os.environ.setdefault(*NO_TELEMETRY)
    if not os.environ.get(DEBUG_VARIABLE):
        sys.excepthook = _one_line
    try:
        get_command(app)(prog_name="cdvd")  # calling app itself would install its own excepthook
    except (ServiceError, OSError) as error:
        from service.cli.console import complain, say_json_line
        from service.cli.exits import error_json, exit_code

        complain(str(error))
        if "--json" in sys.argv:
            say_json_line({"error": error_json(error)})
        sys.exit(exit_code(error))
