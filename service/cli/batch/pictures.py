"""Takes numbered pictures as the frames of one video."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from service.errors.video import DamagedVideo
from service.video.assembled.pictures import CODECS, RATE, numbered_order, read_rate

USUAL_RATE = "25"
_MADE = (1980, 1, 1, 0, 0, 0)
"""The date of what no file is behind: the same pictures make the same bytes, in a later run, too."""


def pictures_among(files: Iterable[Path]) -> list[Path]:
    """Returns the files that are pictures by their names, in the order of their numbers."""
    found = (file for file in files if not file.name.startswith(".") and file.suffix.lower() in CODECS)
    return sorted(found, key=lambda file: numbered_order(str(file)))


def are_frames(pictures: Sequence[Path]) -> bool:
    """Returns whether the names of several pictures differ in one number alone, as those of a video's frames do."""
    rest = {re.sub(r"\d+(?=\D*$)", "", picture.name) for picture in pictures}
    return len(pictures) > 1 and len(rest) == 1


def checked_rate(rate: str | None) -> str | None:
    """Returns a rate as it was given. Raises BadParameter for one that is none."""
    try:
        read_rate(rate or USUAL_RATE)
    except DamagedVideo as error:
        raise typer.BadParameter(str(error), param_hint="'--fps'") from error
    return rate


def rate_of(folder: Path) -> str:
    """Returns the rate that the file ``fps.txt`` in a folder of pictures says, else the usual one. Raises OSError."""
    file = folder / RATE
    return file.read_text("utf-8", "replace").strip() if file.is_file() else USUAL_RATE


@contextmanager
def packed(pictures: Sequence[Path], rate: str) -> Iterator[Path]:
    """Gives an archive of the pictures, with their rate, until the block ends. Raises OSError."""
    with tempfile.TemporaryDirectory(prefix="cdvd-") as folder:
        path = Path(folder) / f"{pictures[0].parent.resolve().name or 'frames'}.zip"
        with zipfile.ZipFile(path, "w", strict_timestamps=False) as archive:  # stored: compressed already
            archive.writestr(zipfile.ZipInfo(RATE, _MADE), rate)
            for number, picture in enumerate(pictures):
                archive.write(picture, f"{number:07d}{picture.suffix.lower()}")
        yield path
