"""The ``cdvd`` command.

Exit codes: 0 success, 1 failure (one line on stderr says why), 2 wrong usage, 130 interrupted, 143 terminated.

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

from service.errors import ServiceError
from service.types import Engine

FAILURE = 1
DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_PORT = 8080
DEBUG_VARIABLE = "CDVD_DEBUG"
NO_TELEMETRY = ("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime from 1.29 on reports to its maker unless this is set before it loads; every child inherits it."""

app = typer.Typer(
    name="cdvd",
    help="Make blurred videos sharper.",
    epilog="Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Url = Annotated[str, typer.Option("--url", envvar="CDVD_URL", help="Address of a running service.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job.", show_default=False)]
VideoIn = Annotated[
    Path, typer.Argument(metavar="IN", help="A video.", exists=True, dir_okay=False, readable=True)
]
VideoOut = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="OUT", help="Where the result goes.", dir_okay=False)
]
ModelName = Annotated[str | None, typer.Option("--model", help="Model to use; `cdvd doctor` lists them.")]
Models = Annotated[
    Path | None,
    typer.Option("--models", envvar="CDVD_MODELS", file_okay=False, help="Model repository of the service."),
]


@app.command()
def up(  # noqa: PLR0913  # one parameter per option
    data: Annotated[Path, typer.Option(help="Jobs and videos are kept here.", file_okay=False)] = Path(
        "data"
    ),
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
    serve(options)


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
    from service.local.triton_install import cache_directory
    from service.local.triton_server import TritonPorts

    install = command.fetch(directory or cache_directory())
    if not install_only:
        command.serve(install, models, TritonPorts(http_port, grpc_port, metrics_port))


@app.command()
def deblur(
    source: VideoIn,
    output: VideoOut = None,
    model: ModelName = None,
    url: Annotated[
        str | None, typer.Option(help="Send it to this running service instead of one started here.")
    ] = None,
    models: Models = None,
    as_json: JsonFlag = False,
) -> None:
    """Deblur one video. OUT is IN_deblurred.mp4 unless named."""
    output = _checked_output(source, output or source.with_name(f"{source.stem}_deblurred.mp4"))

    from service.cli.console import summary
    from service.cli.deblur import Request
    from service.cli.deblur import deblur as run

    job = run(Request(source, output, model=model, url=url, models=models), quiet=as_json)
    summary(job, output, as_json=as_json)


@app.command()
def doctor(models: Models = None, as_json: JsonFlag = False) -> None:
    """Tell what this machine has, and how to get what is missing; exits 1 if that is something required."""
    from service.cli.doctor import examine, healthy, print_report

    findings = examine(models)
    print_report(findings, as_json=as_json)
    if not healthy(findings):
        raise typer.Exit(FAILURE)


@app.command()
def submit(
    source: VideoIn, model: ModelName = None, url: Url = DEFAULT_URL, as_json: JsonFlag = False
) -> None:
    """Send a video to a running service and print the job's id without waiting."""
    from service.cli import jobs

    jobs.submit(source, model=model, url=url, as_json=as_json)


@app.command()
def status(job: JobId, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Tell how far a job is."""
    from service.cli import jobs

    jobs.status(job, url=url, as_json=as_json)


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(help="At most this many, newest first.", min=1)] = 20,
    url: Url = DEFAULT_URL,
    as_json: JsonFlag = False,
) -> None:
    """List the jobs of a running service."""
    from service.cli import jobs

    jobs.list_jobs(limit, url=url, as_json=as_json)


@app.command()
def cancel(job: JobId, url: Url = DEFAULT_URL) -> None:
    """Stop a job."""
    from service.cli import jobs

    jobs.cancel(job, url=url)


@app.command()
def result(job: JobId, output: VideoOut = None, url: Url = DEFAULT_URL) -> None:
    """Wait for a job and fetch its video. OUT is the upload's name with _deblurred unless named."""
    from service.cli import jobs

    jobs.result(job, output, url=url)


def _checked_output(source: Path, output: Path) -> Path:
    """Refuse outputs that cannot work before hours of computing are spent on them."""
    if output.resolve() == source.resolve() or (output.exists() and output.samefile(source)):
        raise typer.BadParameter("OUT would overwrite IN", param_hint="'-o'")
    if not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="'-o'")
    if not os.access(output.parent, os.W_OK):
        raise typer.BadParameter(f"{output.parent} is not writable", param_hint="'-o'")
    return output


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
        from service.cli.console import complain

        complain(str(error))
        sys.exit(FAILURE)
