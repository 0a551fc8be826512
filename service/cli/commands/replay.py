"""``cdvd replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import Force, JsonFlag, Models, VideoIn, writable_output


def replay(  # one parameter per option
    report: Annotated[
        Path,
        typer.Argument(
            metavar="REPORT", help="What `cdvd report JOB --json` printed.", exists=True, dir_okay=False
        ),
    ],
    source: VideoIn,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Without it, IN_replayed beside the video."),
    ] = None,
    models: Models = None,
    force: Force = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a result again from its report and its video: the same bytes, where versions and device are the same.

    The exit code is 0 for the same bytes, 1 for others.
    """
    from service.cli.actions.replay import Replay, print_replayed
    from service.cli.actions.replay import replay as replay_report
    from service.cli.interrupts import interruptible
    from service.cli.output.progress import job_bar
    from service.pipeline.recipe import read_recipe

    container = read_recipe(report).options.container
    target = writable_output(output or source.with_name(f"{source.stem}_replayed.{container}"), force=force)
    with job_bar(quiet=as_json) as bar:
        asked = Replay(report, source, target, models)
        code = interruptible(lambda: replay_report(asked, bar.frames), asked.tidy)
    print_replayed(target, code, as_json=as_json)
    raise typer.Exit(code)
