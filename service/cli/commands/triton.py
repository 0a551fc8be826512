"""``cdvd triton``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import Models


def triton(
    models: Models = None,
    grpc_port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8001,
    http_port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    metrics_port: Annotated[int, typer.Option(min=0, max=65535)] = 8002,
    directory: Annotated[
        Path | None, typer.Option(help="Where the server is kept; ~/.cache/cdvd/triton.", file_okay=False)
    ] = None,
    install_only: Annotated[
        bool, typer.Option("--install", help="Fetch the server and do not run it.")
    ] = False,
) -> None:
    """Run a Triton for this machine, on its processors, until Ctrl-C; it is fetched from PyPI if need be."""
    from service.cli.actions.triton import fetch, serve
    from service.local.triton.install import cache_directory
    from service.local.triton.server import TritonPorts

    install = fetch(directory or cache_directory())
    if not install_only:
        serve(install, models, TritonPorts(http_port, grpc_port, metrics_port))
