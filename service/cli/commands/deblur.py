"""``cdvd deblur``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import (
    CodecChoice,
    DeviceName,
    End,
    Fields,
    Force,
    Fps,
    JobsFile,
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
)


def deblur(  # noqa: PLR0913  # one parameter per option
    sources: VideosIn = None,
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
    fps: Fps = None,
    more: Fields = None,
    jobs_file: JobsFile = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Go on with videos that arrive in the directories, until Ctrl-C."),
    ] = False,
    force: Force = False,
    parallel: Annotated[int, typer.Option(help="Videos at the service at a time.", min=1)] = 2,
    url: OwnUrl = None,
    models: Models = None,
    device: DeviceName = None,
    as_json: JsonFlag = False,
) -> None:
    """Deblur videos, and all videos in directories.

    Results are beside them, as IN_deblurred with the ending of their container, unless OUT is named; the ending of OUT
    chooses the container.

    A directory of numbered pictures (PNG, JPEG or TIFF), or pictures by name, are one video of RATE. A video at an
    address is fetched by the service; its result comes to this directory.

    A video that has a result of the same options already is skipped, one that fails does not stop the others, and the
    same command goes on after an interruption. The exit code is 0 when every video has a result.
    """
    from service.cli.batch.journal import Journal
    from service.cli.batch.pictures import checked_rate
    from service.cli.batch.plan import Planner

    chosen = {"quality": quality, "model": model, "looks": looks, "codec": codec, "start": start, "end": end}
    fields = form_fields({**chosen, "strict": "true" if strict else None}, more)
    _check_sources(sources or [], jobs_file, watch=watch)
    rate, planner = checked_rate(fps), Planner(Journal(url or ""), force)

    from service.cli.actions.deblur import DeblurRequest, deblur_videos, watch_folders

    request = DeblurRequest(planner.journal, url, models, parallel, device)
    if watch:
        from service.cli.batch.finding import Folder
        from service.cli.batch.hot_folder import HotFolder

        folders = [Folder(Path(source), rate) for source in sources or ()]
        folder = HotFolder(folders, planner.folder(output), fields, planner)
        watch_folders(request, folder, [fields.get("model")], as_json=as_json)
    elif jobs_file:
        from service.cli.batch.jobs_file import plan_jobs

        items = plan_jobs(jobs_file, planner, output, fields, rate)
    else:
        from service.cli.batch.finding import named_sources

        items = planner.plan(named_sources(sources or [], rate), output, fields)
    raise typer.Exit(deblur_videos(request, items, as_json=as_json))


def _check_sources(sources: list[str], jobs_file: Path | None, *, watch: bool) -> None:
    """Raises BadParameter where what is named does not fit the options."""
    if jobs_file and (sources or watch):
        other = "IN" if sources else "--watch"
        raise typer.BadParameter(f"Give either --jobs-file or {other}.", param_hint="'--jobs-file'")
    if not jobs_file and not sources:
        raise typer.BadParameter("Give IN or --jobs-file.", param_hint="IN")
    if watch and (others := [source for source in sources if not Path(source).is_dir()]):
        raise typer.BadParameter(f"{others[0]} is no directory.", param_hint="'--watch'")
