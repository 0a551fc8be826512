"""Takes a folder of pictures, or pictures by name, as the frames of one video."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from service.cli.batch.journal import identity_of
from service.cli.batch.plan import RESULT_ENDING, SUFFIXES
from service.errors.video import DamagedVideo
from service.video.assembled.pictures import CODECS, RATE, numbered_order, read_rate

USUAL_RATE = "25"


def pictures_of(sources: Sequence[Path]) -> list[Path]:
    """Returns the pictures in the order of their numbers; none where the sources are videos, or folders of them."""
    if len(sources) == 1 and sources[0].is_dir():
        inside = [file for file in sources[0].iterdir() if not file.name.startswith(".")]
        if any(file.suffix.lower() in SUFFIXES for file in inside):
            return []
        found = [file for file in inside if file.suffix.lower() in CODECS]
    else:
        found = [file for file in sources if file.is_file() and file.suffix.lower() in CODECS]
        if len(found) < len(sources):
            return []
    return sorted(found, key=lambda file: numbered_order(str(file)))


@contextmanager
def packed(pictures: Sequence[Path], rate: str | None) -> Iterator[Path]:
    """Gives an archive of the pictures, with their rate, until the block ends. Raises BadParameter for a bad rate."""
    try:
        read_rate(rate or USUAL_RATE)
    except DamagedVideo as error:
        raise typer.BadParameter(str(error), param_hint="'--fps'") from error
    with tempfile.TemporaryDirectory(prefix="cdvd-") as folder:
        path = Path(folder) / f"{pictures[0].parent.resolve().name or 'frames'}.zip"
        with zipfile.ZipFile(path, "w") as archive:  # stored: pictures are compressed already
            archive.writestr(RATE, rate or USUAL_RATE)
            for number, picture in enumerate(pictures):
                archive.write(picture, f"{number:07d}{picture.suffix.lower()}")
        yield path


def identity_of_pictures(pictures: Sequence[Path], rate: str | None) -> str:
    """Returns a text that is another one as soon as a picture or the rate is."""
    return identity_of(pictures, rate or USUAL_RATE)


def result_of(pictures: Sequence[Path], output: Path | None) -> Path:
    """Returns where the result goes: the file that was named, else one in a folder that was, else beside the folder."""
    folder = pictures[0].parent.resolve()
    name = f"{folder.name or 'frames'}{RESULT_ENDING}.mp4"
    if output is None:
        return folder.parent / name
    return output / name if output.is_dir() else output
