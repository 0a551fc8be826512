"""Reads and writes the pictures of the newest restored frame of a running job: one ZIP file, replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile


class View(StrEnum):
    """What a picture of a frame shows."""

    BEFORE = "before"
    AFTER = "after"
    SIDE = "side"
    PRIOR = "prior"


def write_newest(path: Path, frame: int, pictures: Mapping[View, bytes]) -> None:
    """Writes the JPEG pictures of a frame."""
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for view, picture in pictures.items():
            archive.writestr(f"{frame}/{view}.jpg", picture)


def read_newest(path: Path, view: View) -> tuple[int, bytes]:
    """Returns the number of the frame, and its JPEG. Raises ValueError for a file that holds no such picture."""
    try:
        with ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith(f"/{view}.jpg"))
            return int(name.partition("/")[0]), archive.read(name)
    except (BadZipFile, StopIteration) as error:
        raise ValueError(f"{path.name} holds no picture {view}.") from error
