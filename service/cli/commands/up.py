"""``cdvd up``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import DEFAULT_DATA, DeviceName, JsonFlag, ModelName, Models
from service.types import Engine

DEFAULT_PORT = 8080


def up(  # noqa: PLR0913  # one parameter per option
    data: Annotated[
        Path, typer.Option(envvar="CDVD_DATA", help="Jobs and videos are kept here.", file_okay=False)
    ] = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = DEFAULT_PORT,
    models: Models = None,
    model: ModelName = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            envvar="CDVD_ENGINE",
            help="What runs the model. For triton, a server from PyPI is started unless CDVD_TRITON_URLS is set.",
        ),
    ] = None,
    device: DeviceName = None,
    allow_unauthenticated: Annotated[
        bool,
        typer.Option(help="Listen on an address that other machines reach, although no key is asked for."),
    ] = False,
    first_key: Annotated[
        bool,
        typer.Option(
            "--first-key", help="Make and print a key where other machines reach a service without one."
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from service.cli.actions.up import serve
    from service.embedded import EmbeddedOptions

    base = EmbeddedOptions()
    options = EmbeddedOptions(
        host=host,
        port=port,
        data=data,
        models=models or base.models,
        model=model or base.model,
        engine=engine,
        device=device,
        allow_unauthenticated=allow_unauthenticated,
    )
    serve(options, first_key=first_key, as_json=as_json)
