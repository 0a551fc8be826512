"""The sharpness prior as pictures, one per frame: a ZIP file beside the piece of each segment, one for the job.

Any tool opens it, and one picture is read without the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile


def write_pictures(path: Path, start: int, pictures: Sequence[bytes]) -> None:
    """JPEG ``pictures`` of the frames from ``start`` on."""
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for number, picture in enumerate(pictures, start):
            archive.writestr(_name(number), picture)


def merge_pictures(path: Path, parts: Iterable[Path]) -> None:
    """All pictures of ``parts`` in one file. Raises ValueError for a part that is no archive of ours."""
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for part in parts:
            with _opened(part) as given:
                for name in given.namelist():
                    archive.writestr(name, given.read(name))


def read_picture(path: Path, frame: int) -> bytes:
    """The JPEG of a frame. Raises FileNotFoundError, KeyError for a frame that is not there, ValueError."""
    with _opened(path) as archive:
        return archive.read(_name(frame))


def _opened(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except BadZipFile as error:
        raise ValueError(f"{path.name} holds no pictures: {error}") from error


def _name(frame: int) -> str:
    return f"{frame:08d}.jpg"
