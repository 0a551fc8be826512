"""Reads and writes heat maps of the sharpness prior, one picture per frame.

They are in a ZIP file beside the piece of each segment, and in one for the job.
Any tool opens such a file, and one picture is read without the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile


def write_pictures(path: Path, start: int, pictures: Sequence[bytes]) -> None:
    """Writes the JPEG ``pictures`` of the frames from number ``start`` on."""
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for number, picture in enumerate(pictures, start):
            archive.writestr(_name(number), picture)


def merge_pictures(path: Path, parts: Iterable[Path]) -> None:
    """Writes all pictures of ``parts`` into one file. Raises ValueError for a part that is no ZIP file."""
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for part in parts:
            with _opened(part) as given:
                for name in given.namelist():
                    archive.writestr(name, given.read(name))


def read_picture(path: Path, frame: int) -> bytes:
    """Returns the JPEG of a frame.

    Raises FileNotFoundError, ValueError for a file that is no ZIP file, and KeyError for a frame that it lacks.
    """
    with _opened(path) as archive:
        return archive.read(_name(frame))


def _opened(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except BadZipFile as error:
        raise ValueError(f"{path.name} holds no pictures.") from error


def _name(frame: int) -> str:
    return f"{frame:08d}.jpg"
