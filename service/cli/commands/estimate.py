"""``cdvd estimate``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import DEFAULT_URL, JsonFlag, LooksCount, ModelName, QualityName, Url, form_fields


def estimate(  # noqa: PLR0913  # one parameter per option
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[IN]", help="A video; it stays here.", exists=True, dir_okay=False),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Instead of IN: the frame size, such as 1280x720.")
    ] = None,
    frames: Annotated[int | None, typer.Option(help="Instead of IN: the number of frames.", min=1)] = None,
    quality: QualityName = None,
    model: ModelName = None,
    looks: LooksCount = None,
    url: Url = DEFAULT_URL,
    as_json: JsonFlag = False,
) -> None:
    """Tell what a video would take in time, memory and disk."""
    form_fields({"quality": quality, "model": model, "looks": looks}, None)
    from service.cli.actions.estimate import describe_file, describe_size, print_estimate

    if source:
        video = describe_file(source)
    elif size and frames:
        video = describe_size(size, frames)
    else:
        raise typer.BadParameter("Give IN, or --size and --frames.", param_hint="IN")
    print_estimate(replace(video, quality=quality, model=model, looks=looks), url, as_json=as_json)
