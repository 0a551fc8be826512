"""``cdvd deblur``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import (
    CodecChoice,
    DeviceName,
    End,
    Fields,
    Force,
    JsonFlag,
    LooksCount,
    ModelName,
    Models,
    OwnUrl,
    QualityName,
    Start,
    Strict,
    VideosIn,
    form_fields,
    job_options,
)


def deblur(  # noqa: PLR0913  # one parameter per option
    sources: VideosIn,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="A file for one video, a directory for several."),
    ] = None,
    quality: QualityName = None,
    model: ModelName = None,
    looks: LooksCount = None,
    codec: CodecChoice = None,
    start: Start = None,
    end: End = None,
    strict: Strict = False,
    fps: Annotated[
        str | None,
        typer.Option(
            metavar="RATE", help="Frames per second of a folder of pictures: 25, 23.976, 30000/1001."
        ),
    ] = None,
    more: Fields = None,
    force: Force = False,
    parallel: Annotated[int, typer.Option(help="Videos at the service at a time.", min=1)] = 2,
    url: OwnUrl = None,
    models: Models = None,
    device: DeviceName = None,
    as_json: JsonFlag = False,
) -> None:
    """Deblur videos, and all videos in directories. Results are beside them, as IN_deblurred with the
    ending of their container, unless OUT is named; the ending of OUT chooses the container.

    A directory of numbered pictures (PNG, JPEG or TIFF), or pictures by name, are one video of RATE.
    A video that has a result already is skipped, and one that fails does not stop the others. The exit code is 0 when
    every video has a result.
    """
    from service.cli.batch.pictures import packed, pictures_of, result_of

    pictures = pictures_of(sources)
    if fps is not None and not pictures:
        raise typer.BadParameter("Only pictures have no rate of their own.", param_hint="'--fps'")
    chosen = {"quality": quality, "model": model, "looks": looks, "codec": codec, "start": start, "end": end}
    fields = form_fields({**chosen, "strict": "true" if strict else None}, more)
    asked = job_options(fields).asked

    with ExitStack() as stack:
        if pictures:
            sources, output = [stack.enter_context(packed(pictures, fps))], result_of(pictures, output)

        from service.cli.actions.deblur import DeblurRequest, deblur_videos
        from service.cli.batch.plan import plan

        items = plan(sources, output, force=force, asked=asked)
        request = DeblurRequest(items, fields, url, models, parallel, device)
        raise typer.Exit(deblur_videos(request, as_json=as_json))
