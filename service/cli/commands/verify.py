"""``cdvd verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import JsonFlag, VideoIn


def verify(
    source: VideoIn,
    result: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="What was made of it.", exists=True, dir_okay=False, readable=True
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Compare OUT with IN: frames, times, sound, color, depth, captions, metadata. No service is needed.

    The exit code is 0 if everything is kept, 10 if some of it is in another form, 1 if something is lost.
    """
    from service.cli.actions.verify import verify_files

    raise typer.Exit(verify_files(source, result, as_json=as_json))
